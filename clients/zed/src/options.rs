//! What the sidecar is told of Zed's settings: `lsp.quotaline.initialization_options` and, over it, `lsp.quotaline.settings`.

use zed_extension_api::serde_json::{Map, Value, json};
use zed_extension_api::settings::LspSettings;

/// The section `quotaline` as the sidecar reads it, from the start and after every change.
pub fn sent(settings: LspSettings) -> Value {
    let base = section(settings.initialization_options);
    let over = section(settings.settings);
    json!({ "quotaline": merged(base, over) })
}

/// Both `{"quotaline": {…}}` and the bare object are accepted.
fn section(value: Option<Value>) -> Value {
    match value {
        Some(Value::Object(mut object)) => {
            object.remove("quotaline").unwrap_or(Value::Object(object))
        }
        Some(other) => other, // the sidecar says what is wrong with it
        None => Value::Object(Map::new()),
    }
}

fn merged(base: Value, over: Value) -> Value {
    match (base, over) {
        (Value::Object(mut base), Value::Object(over)) => {
            for (name, value) in over {
                let below = base.remove(&name).unwrap_or(Value::Null);
                base.insert(name, merged(below, value));
            }
            Value::Object(base)
        }
        (_, over) => over,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(initialization_options: Option<Value>, settings: Option<Value>) -> Value {
        sent(LspSettings {
            binary: None,
            initialization_options,
            settings,
        })
    }

    #[test]
    fn no_settings_are_an_empty_section() {
        assert_eq!(of(None, None), json!({"quotaline": {}}));
    }

    #[test]
    fn settings_pass_through_unchanged() {
        let settings = json!({"statusLine": {"maxItems": 2}, "refresh": 15});
        assert_eq!(
            of(None, Some(settings.clone())),
            json!({"quotaline": settings})
        );
    }

    #[test]
    fn a_section_of_its_own_is_not_wrapped_twice() {
        let settings = json!({"quotaline": {"hideIdentity": true}});
        assert_eq!(of(None, Some(settings.clone())), settings);
    }

    #[test]
    fn settings_lie_over_initialization_options() {
        let below = json!({"statusLine": {"maxItems": 2, "percent": "left"}});
        let above = json!({"statusLine": {"maxItems": 5}});
        let both = json!({"quotaline": {"statusLine": {"maxItems": 5, "percent": "left"}}});
        assert_eq!(of(Some(below), Some(above)), both);
    }

    #[test]
    fn what_is_not_an_object_is_left_for_the_sidecar_to_refuse() {
        assert_eq!(of(None, Some(json!("left"))), json!({"quotaline": "left"}));
    }
}
