//! Generated from `quotaline_providers/distribution.py` by `docs/generate.py` (`make docs`).

/// Completes "Install it with".
pub const INSTALL: &str = "`uv tool install .` or `pipx install .` in a checkout of Quotaline";
