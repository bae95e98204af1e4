-- Generated from `quotaline_providers/distribution.py` by `docs/generate.py` (`make docs`).

return { published = false }
