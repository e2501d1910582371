//! A sample value that satisfies a JSON schema, always the same one for the same schema.

use serde_json::{Map, Value, json};

/// Nesting beyond this is answered with null: recursive schemas end.
const DEPTH_MAX: usize = 8;

/// The sample for `schema`: required properties only (all of them when none is required), the first `enum` value,
/// `const` or `default` where there is one; a string is its own property name, an integer its minimum or 1,
/// a number its minimum or 1.5, a boolean true, an array holds one item.
pub(crate) fn sample(schema: &Value) -> Value {
    sample_of("value", schema, schema, 0)
}

fn sample_of(name: &str, schema: &Value, root: &Value, depth: usize) -> Value {
    if depth > DEPTH_MAX {
        return Value::Null;
    }
    if let Some(pointer) = schema.get("$ref").and_then(Value::as_str) {
        let target = pointer.strip_prefix('#').and_then(|path| root.pointer(path));
        return target.map_or(Value::Null, |target| sample_of(name, target, root, depth + 1));
    }
    if let Some(fixed) = schema.get("const").or_else(|| schema.get("default")) {
        return fixed.clone();
    }
    if let Some(first) = schema.get("enum").and_then(Value::as_array).and_then(|values| values.first()) {
        return first.clone();
    }
    for union in ["anyOf", "oneOf", "allOf"] {
        if let Some(first) = schema.get(union).and_then(Value::as_array).and_then(|options| options.first()) {
            return sample_of(name, first, root, depth + 1);
        }
    }
    match type_of(schema) {
        "string" => json!(name),
        "integer" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1)),
        "number" => schema.get("minimum").cloned().unwrap_or_else(|| json!(1.5)),
        "boolean" => json!(true),
        "array" => match schema.get("items") {
            Some(items) => json!([sample_of(name, items, root, depth + 1)]),
            None => json!([]),
        },
        "object" => object_of(schema, root, depth),
        _ => Value::Null,
    }
}

/// The declared type (the first of several), or the one its keywords imply.
fn type_of(schema: &Value) -> &str {
    let declared = match schema.get("type") {
        Some(Value::Array(several)) => several.first().and_then(Value::as_str),
        other => other.and_then(Value::as_str),
    };
    declared.unwrap_or(if schema.get("properties").is_some() { "object" } else { "null" })
}

fn object_of(schema: &Value, root: &Value, depth: usize) -> Value {
    let Some(properties) = schema.get("properties").and_then(Value::as_object) else {
        return json!({});
    };
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .map(|names| names.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let wanted = |name: &str| required.is_empty() || required.contains(&name);
    let fields: Map<String, Value> = properties
        .iter()
        .filter(|(name, _)| wanted(name))
        .map(|(name, property)| (name.clone(), sample_of(name, property, root, depth + 1)))
        .collect();
    Value::Object(fields)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_required_properties_are_filled_in() {
        let schema = json!({
            "type": "object",
            "properties": {
                "city": {"type": "string"},
                "unit": {"enum": ["celsius", "fahrenheit"]},
                "days": {"type": "integer", "minimum": 3},
                "note": {"type": "string"}
            },
            "required": ["city", "unit", "days"]
        });
        assert_eq!(sample(&schema), json!({"city": "city", "unit": "celsius", "days": 3}));
    }

    #[test]
    fn a_recursive_schema_ends() {
        let schema = json!({
            "type": "object",
            "properties": {"child": {"$ref": "#"}}
        });
        assert!(sample(&schema).is_object());
    }

    #[test]
    fn references_arrays_and_unions_are_followed() {
        let schema = json!({
            "type": "object",
            "properties": {
                "tags": {"type": "array", "items": {"$ref": "#/$defs/tag"}},
                "size": {"anyOf": [{"type": "number"}, {"type": "null"}]},
                "on": {"type": ["boolean", "null"]}
            },
            "$defs": {"tag": {"type": "string"}}
        });
        assert_eq!(sample(&schema), json!({"tags": ["tags"], "size": 1.5, "on": true}));
    }
}
