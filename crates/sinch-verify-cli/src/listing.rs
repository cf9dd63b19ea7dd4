//! Answers of the control interface for people: lists as tables, objects as a line a field.

use serde_json::Value;
use serde_json::value::RawValue;
use sinch_verify_protocol::untrusted::escape;

use crate::control::Control;
use crate::print::{note, say};
use crate::table::{Column, Table, cell};
use crate::view;

/// A list of the control interface, and how it is shown.
pub(crate) struct Listing {
    /// The name of the list in the answer.
    pub(crate) name: &'static str,
    /// The columns, and where the value of each is in an item: a JSON pointer.
    pub(crate) columns: &'static [(Column, &'static str)],
    /// What is said where there is no item.
    pub(crate) empty: &'static str,
}

impl Listing {
    /// Prints the list at `path`.
    pub(crate) async fn print(&self, control: &Control, path: &str, json: bool) -> anyhow::Result<()> {
        let whole: Box<RawValue> = control.get(path).await?;
        if json {
            say!("{}", whole.get());
            return Ok(());
        }
        let answer: Value = serde_json::from_str(whole.get())?;
        let items = answer[self.name]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        if items.is_empty() {
            note!("{}", self.empty);
            return Ok(());
        }
        let columns: Vec<Column> = self.columns.iter().map(|(column, _)| *column).collect();
        let mut table = Table::new(&columns);
        for item in items {
            let cells = self.columns.iter().map(|(_, at)| cell(text(item.pointer(at))));
            table.add(cells.collect());
        }
        table.print();
        Ok(())
    }
}

/// Prints an object: as JSON, or a line a field. The fields of an object in it have its name before theirs.
pub(crate) fn print_object(object: &Value, json: bool) -> anyhow::Result<()> {
    let mut fields = Vec::new();
    flatten(object, "", &mut fields);
    let rows = fields.iter().map(|(name, value)| (name.as_str(), value.clone()));
    view::print(object, json, rows.collect())
}

fn flatten(value: &Value, name: &str, fields: &mut Vec<(String, String)>) {
    match value {
        Value::Object(object) => {
            for (key, value) in object {
                let name = if name.is_empty() {
                    key.clone()
                } else {
                    format!("{name}.{key}")
                };
                flatten(value, &name, fields);
            }
        }
        // A list of objects or of pairs, such as headers.
        Value::Array(items) if items.iter().any(|item| item.is_object() || item.is_array()) => {
            for item in items {
                flatten(item, name, fields);
            }
        }
        value => fields.push((escape(name).into_owned(), escape(&text(Some(value))).into_owned())),
    }
}

/// A value in one line.
pub(crate) fn text(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(items)) => {
            let items: Vec<String> = items.iter().map(|item| text(Some(item))).collect();
            items.join(" ")
        }
        Some(other) => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::flatten;

    #[test]
    fn an_object_is_shown_a_line_a_field() {
        let object = json!({
            "seq": 1,
            "headers": [["host", "a"], ["date", "b\nc"]],
            "response": {"status": 200, "none": null},
            "anomalies": ["x", "y"],
        });
        let mut fields = Vec::new();
        flatten(&object, "", &mut fields);
        let fields: Vec<_> = fields.iter().map(|(name, value)| (&**name, &**value)).collect();
        let expected = [
            ("anomalies", "x y"),
            ("headers", "host a"),
            ("headers", "date b\\nc"),
            ("response.none", ""),
            ("response.status", "200"),
            ("seq", "1"),
        ];
        let mut sorted = fields.clone();
        sorted.sort_unstable();
        let mut wanted = expected.to_vec();
        wanted.sort_unstable();
        assert_eq!(sorted, wanted);
    }
}
