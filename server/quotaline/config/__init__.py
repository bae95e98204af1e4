"""The config: where it is, how it is read and checked, followed, changed, and explained to an editor.

`ConfigKeeper` holds what is in force and `follow` keeps that current. Editing lives in `config.edit`, language
features in `config.language`, the generated schema and tables in `config.reference`.
"""

from quotaline.config.load import ConfigKeeper as ConfigKeeper, load as load
from quotaline.config.locate import codexbar_path as codexbar_path, config_path as config_path
from quotaline.config.model import Config as Config, Diagnostic as Diagnostic, Loaded as Loaded
from quotaline.config.watch import follow as follow
