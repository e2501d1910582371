//! JSON schemas as Gemini takes them.

use serde_json::{Map, Value, json};

/// Nesting past which a schema is cut off: no model follows it so far, and no stack should.
const DEPTH_MAX: usize = 64;

/// Keys whose value is taken as it is.
///
/// Source: `responseJsonSchema` of the API reference, which names what of JSON schema is understood.
const KEPT: &[&str] = &[
    "$anchor",
    "$id",
    "description",
    "format",
    "maxItems",
    "maximum",
    "minItems",
    "minimum",
    "propertyOrdering",
    "required",
    "title",
    "type",
];

/// `schema` with only what Gemini understands of it, and what it writes otherwise in its way. What is left out only loosens
/// the schema, so that no valid answer is ruled out.
pub(super) fn cleaned(schema: &Value) -> Value {
    clean(schema, 0)
}

/// Whether an object of that schema can have any field: Gemini refuses to be told of arguments that are none.
pub(super) fn has_fields(schema: &Value) -> bool {
    let Some(fields) = schema.as_object() else { return false };
    fields.iter().any(|(key, value)| match key.as_str() {
        "properties" => value.as_object().is_some_and(|properties| !properties.is_empty()),
        "$ref" | "anyOf" | "oneOf" | "allOf" => true,
        "additionalProperties" => value.is_object(),
        _ => false,
    })
}

fn clean(schema: &Value, depth: usize) -> Value {
    // `true` allows anything, as an empty schema does.
    let Some(fields) = schema.as_object().filter(|_| depth < DEPTH_MAX) else { return json!({}) };
    if let Some(target) = fields.get("$ref").and_then(Value::as_str) {
        // Beside a reference nothing else may stand but what defines its target.
        let mut reference = Map::new();
        reference.insert("$ref".to_owned(), json!(target.replacen("#/definitions/", "#/$defs/", 1)));
        reference.extend(definitions(fields, depth));
        return Value::Object(reference);
    }
    let mut kept = Map::new();
    for (key, value) in fields {
        match key.as_str() {
            key if KEPT.contains(&key) => {
                kept.insert(key.to_owned(), value.clone());
            }
            "properties" => {
                kept.insert(key.clone(), each(value, depth));
            }
            "items" if value.is_object() => {
                kept.insert(key.clone(), clean(value, depth + 1));
            }
            // A list of items was JSON schema's way before `prefixItems`.
            "items" | "prefixItems" if value.is_array() => {
                kept.insert("prefixItems".to_owned(), all(value, depth));
            }
            "anyOf" | "oneOf" => {
                kept.insert("anyOf".to_owned(), all(value, depth));
            }
            "additionalProperties" if value.is_boolean() => {
                kept.insert(key.clone(), value.clone());
            }
            "additionalProperties" => {
                kept.insert(key.clone(), clean(value, depth + 1));
            }
            "enum" => {
                kept.extend(words(value).map(|words| ("enum".to_owned(), words)));
            }
            "const" => {
                kept.extend(words(&json!([value])).map(|words| ("enum".to_owned(), words)));
            }
            _ => {}
        }
    }
    kept.extend(definitions(fields, depth));
    for part in fields.get("allOf").and_then(Value::as_array).into_iter().flatten() {
        merge(&mut kept, clean(part, depth + 1));
    }
    Value::Object(kept)
}

fn definitions(fields: &Map<String, Value>, depth: usize) -> Option<(String, Value)> {
    let definitions = fields.get("$defs").or_else(|| fields.get("definitions"))?;
    Some(("$defs".to_owned(), each(definitions, depth)))
}

/// The schemas of a map from names.
fn each(schemas: &Value, depth: usize) -> Value {
    let schemas = schemas.as_object().into_iter().flatten();
    schemas.map(|(name, schema)| (name.clone(), clean(schema, depth + 1))).collect()
}

/// The schemas of a list.
fn all(schemas: &Value, depth: usize) -> Value {
    schemas.as_array().into_iter().flatten().map(|schema| clean(schema, depth + 1)).collect()
}

/// Of the values to choose from those that may be named: texts and numbers. `None` when others are among them, since a
/// shorter list would rule them out.
fn words(values: &Value) -> Option<Value> {
    let values = values.as_array()?;
    let nameable = values.iter().all(|value| value.is_string() || value.is_number());
    (nameable && !values.is_empty()).then(|| json!(values))
}

/// Lays the fields of one part of an `allOf` over the others: properties and what is required add up.
fn merge(kept: &mut Map<String, Value>, part: Value) {
    let Value::Object(part) = part else { return };
    for (key, value) in part {
        match (kept.get_mut(&key), value) {
            (Some(Value::Object(known)), Value::Object(more)) => known.extend(more),
            (Some(Value::Array(known)), Value::Array(more)) if key == "required" => {
                let new = more.into_iter().filter(|name| !known.contains(name)).collect::<Vec<_>>();
                known.extend(new);
            }
            (Some(_), _) => {}
            (None, value) => {
                kept.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gemini_knows_stays_and_what_it_does_not_goes() {
        let schema = json!({
            "$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": false,
            "properties": {
                "pattern": {"type": "string", "pattern": "^a+$", "minLength": 1, "description": "A name that is a keyword."},
                "unit": {"const": "celsius"},
                "size": {"oneOf": [{"type": "number", "exclusiveMinimum": 0}, {"type": "null"}]},
                "choice": {"enum": ["a", 1]},
                "maybe": {"enum": ["a", null]},
                "pair": {"type": "array", "items": [{"type": "string"}, true]},
                "tags": {"type": "array", "items": {"$ref": "#/definitions/tag", "description": "dropped"}, "uniqueItems": true},
            },
            "required": ["pattern"],
            "definitions": {"tag": {"type": "string", "examples": ["x"]}},
        });
        assert_eq!(
            cleaned(&schema),
            json!({
                "type": "object", "additionalProperties": false,
                "properties": {
                    "pattern": {"type": "string", "description": "A name that is a keyword."},
                    "unit": {"enum": ["celsius"]},
                    "size": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                    "choice": {"enum": ["a", 1]},
                    "maybe": {},
                    "pair": {"type": "array", "prefixItems": [{"type": "string"}, {}]},
                    "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
                },
                "required": ["pattern"],
                "$defs": {"tag": {"type": "string"}},
            })
        );
    }

    #[test]
    fn all_of_becomes_one() {
        let schema = json!({
            "type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"],
            "allOf": [
                {"properties": {"b": {"type": "integer"}}, "required": ["b", "a"]},
                {"type": "array", "description": "Both."},
            ],
        });
        assert_eq!(
            cleaned(&schema),
            json!({
                "type": "object", "description": "Both.", "required": ["a", "b"],
                "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
            })
        );
    }

    #[test]
    fn a_schema_without_end_ends() {
        let mut schema = json!({"type": "string"});
        for _ in 0..500 {
            schema = json!({"type": "array", "items": schema});
        }
        assert!(cleaned(&schema).is_object());
        assert_eq!(cleaned(&json!(true)), json!({}));
    }

    #[test]
    fn arguments_that_are_none_are_seen() {
        for none in [
            json!({}),
            json!(true),
            json!({"type": "object", "properties": {}, "additionalProperties": false}),
        ] {
            assert!(!has_fields(&none), "{none}");
        }
        for some in [
            json!({"properties": {"a": {}}}),
            json!({"$ref": "#/$defs/a"}),
            json!({"additionalProperties": {}}),
        ] {
            assert!(has_fields(&some), "{some}");
        }
    }
}
