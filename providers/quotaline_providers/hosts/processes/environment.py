"""What a child program gets of the user's environment: what any program needs, and what the provider hands it.

It is an allow-list, as a name does not tell whether a variable holds a secret (`GROQ_SESSION_JWT`, `SENTRY_DSN`).
"""

from __future__ import annotations

import sys
from collections.abc import Mapping

_USER = ("HOME", "USER", "LOGNAME", "SHELL", "HOSTNAME", "TMPDIR", "TEMP", "TMP", "TZ", "TZDIR", "LANG", "LANGUAGE")
_PROGRAMS = (
    *("PATH", "NODE_OPTIONS", "NODE_PATH", "NODE_USE_SYSTEM_CA", "NODE_USE_ENV_PROXY", "NPM_CONFIG_PREFIX", "N_PREFIX"),
    *("NVM_DIR", "NVM_BIN", "VOLTA_HOME", "PNPM_HOME", "BUN_INSTALL", "ASDF_DIR", "ASDF_DATA_DIR", "PYENV_ROOT"),
    *("MISE_DATA_DIR", "MISE_CONFIG_DIR", "NODENV_ROOT", "NIX_PROFILES", "NIX_PATH", "JAVA_HOME", "DOTNET_ROOT"),
    *("HOMEBREW_PREFIX", "HOMEBREW_CELLAR", "HOMEBREW_REPOSITORY", "ZDOTDIR", "WSL_DISTRO_NAME", "WSL_INTEROP"),
)
_TERMINAL = ("TERM", "TERMINFO", "TERMINFO_DIRS", "COLORTERM", "NO_COLOR")
_DESKTOP = (
    *("DISPLAY", "WAYLAND_DISPLAY", "XAUTHORITY", "DBUS_SESSION_BUS_ADDRESS", "GNOME_KEYRING_CONTROL", "BROWSER"),
    *("DESKTOP_SESSION", "KDE_FULL_SESSION", "__CF_USER_TEXT_ENCODING", "SECURITYSESSIONID"),
)
_NETWORK = (
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    *("NIX_SSL_CERT_FILE", "GODEBUG", "RES_OPTIONS", "LOCALDOMAIN"),
)
_WINDOWS = (
    *("SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "OS", "USERPROFILE", "HOMEDRIVE", "HOMEPATH"),
    *("APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "ALLUSERSPROFILE", "PUBLIC", "PROGRAMFILES", "PROGRAMFILES(X86)"),
    *("PROGRAMW6432", "COMMONPROGRAMFILES", "COMMONPROGRAMFILES(X86)", "COMMONPROGRAMW6432", "USERNAME", "USERDOMAIN"),
    *("COMPUTERNAME", "SESSIONNAME", "PSMODULEPATH", "NUMBER_OF_PROCESSORS", "PROCESSOR_ARCHITECTURE"),
    *("PROCESSOR_IDENTIFIER", "PROCESSOR_LEVEL", "PROCESSOR_REVISION"),
)
ALLOWED = frozenset((*_USER, *_PROGRAMS, *_TERMINAL, *_DESKTOP, *_NETWORK, *_WINDOWS))
FAMILIES = ("LC_", "XDG_", "LD_", "DYLD_", "FNM_")
"""Beginnings of names that are allowed, too: locales, folders, libraries, Node's versions."""


def is_allowed(name: str) -> bool:
    """Whether a child program gets this variable of the user's."""
    plain = name.upper() if sys.platform == "win32" else name
    return plain in ALLOWED or plain.startswith(FAMILIES)


def child_environment(environ: Mapping[str, str], env: Mapping[str, str | None] | None) -> dict[str, str]:
    """The user's allowed variables, then what `env` adds and (None) removes."""
    child = {name: value for name, value in environ.items() if is_allowed(name)}
    for name, value in (env or {}).items():
        child.pop(name, None)
        if value is not None:
            child[name] = value
    return child
