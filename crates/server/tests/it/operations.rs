//! The operations that the document lists, for tests that must pass over none.

use serde_json::Value;

/// One operation of the document.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Operation {
    pub(crate) id: String,
    pub(crate) method: String,
    /// With parameters in braces.
    pub(crate) path: String,
    /// What the document says of it.
    pub(crate) said: Value,
}

impl Eq for Operation {}

impl PartialOrd for Operation {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Operation {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.id.cmp(&other.id)
    }
}

/// A field of a body.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) required: bool,
    /// What it may be, less `null`.
    pub(crate) kind: String,
}

/// The document.
pub(crate) fn document() -> Value {
    serde_json::from_str(&agentdrop_server::openapi()).unwrap()
}

/// Every operation in it.
pub(crate) fn operations() -> Vec<Operation> {
    let document = document();
    let mut found = Vec::new();
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, said) in methods.as_object().unwrap() {
            let id = said["operationId"].as_str().unwrap_or(path).to_owned();
            found.push(Operation {
                id,
                method: method.to_uppercase(),
                path: path.clone(),
                said: said.clone(),
            });
        }
    }
    assert!(found.len() > 25, "{}", found.len());
    found
}

impl Operation {
    /// Whether it takes an API key.
    pub(crate) fn takes_key(&self) -> bool {
        let security = self.said["security"].as_array();
        // Nothing said is what the document says for all.
        security.is_none_or(|it| it.iter().any(|it| it.get("api_key").is_some()))
    }

    /// The names of its parameters that are in the path, or in the query.
    pub(crate) fn parameters(&self, place: &str) -> Vec<String> {
        let all = self.said["parameters"].as_array().into_iter().flatten();
        let here = all.filter(|it| it["in"] == place);
        here.map(|it| it["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The fields of its body of this type, if it takes one.
    pub(crate) fn fields(&self, content_type: &str) -> Option<Vec<Field>> {
        let document = document();
        let body = self.said["requestBody"]["content"].get(content_type)?;
        let schema = resolved(&document, &body["schema"]);
        let required = schema["required"].as_array();
        let required = |name: &str| required.is_some_and(|it| it.iter().any(|it| it == name));
        let fields = schema["properties"].as_object().unwrap().iter();
        let fields = fields.map(|(name, field)| Field {
            name: name.clone(),
            required: required(name),
            kind: kind(&document, field),
        });
        Some(fields.collect())
    }
}

fn kind(document: &Value, field: &Value) -> String {
    let choices = field["oneOf"].as_array().cloned();
    let not_null = |it: &Value| it["type"] != "null";
    let field = choices
        .and_then(|it| it.into_iter().find(not_null))
        .unwrap_or_else(|| field.clone());
    let field = resolved(document, &field);
    let types = match &field["type"] {
        Value::Array(it) => it.clone(),
        one => vec![one.clone()],
    };
    let first = types.iter().find(|it| *it != "null").unwrap();
    first.as_str().unwrap_or("string").to_owned()
}

fn resolved(document: &Value, schema: &Value) -> Value {
    match schema["$ref"].as_str() {
        Some(to) => resolved(
            document,
            document.pointer(to.trim_start_matches('#')).unwrap(),
        ),
        None => schema.clone(),
    }
}
