//! The OpenAPI document, made from the table of endpoints, so that it names exactly what there is.

use serde_json::{Map, Value, json};

use super::endpoints::{Answer, Endpoint, room_endpoints, service_endpoints};

/// The whole document as JSON text.
pub(super) fn document() -> String {
    let mut paths = Map::new();
    for endpoint in service_endpoints() {
        add(&mut paths, "", &endpoint);
    }
    for version in ["/v1", "/v1.1"] {
        for endpoint in room_endpoints() {
            add(&mut paths, version, &endpoint);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Portico management",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Rooms, participants, streams and tokens. Versions differ in how they \
                            describe streams.",
        },
        "security": [{"MAuth": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"MAuth": {
                "type": "apiKey", "in": "header", "name": "Authorization",
                "description": "MAuth realm=…,mauth_signature_method=HMAC_SHA256,\
                    mauth_serviceid=…,mauth_cnonce=…,mauth_timestamp=<ms>,mauth_signature=\
                    base64(hex(HMAC_SHA256(key, timestamp,cnonce[,username,role])))",
            }},
            "schemas": schemas(),
        },
    })
    .to_string()
}

fn add(paths: &mut Map<String, Value>, prefix: &str, endpoint: &Endpoint) {
    let path = format!("{prefix}{}", endpoint.path);
    let parameters: Vec<Value> = path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .map(|name| {
            json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}})
        })
        .collect();
    let mut operation = json!({
        "summary": endpoint.summary,
        "parameters": parameters,
        "responses": responses(endpoint.answer),
    });
    if let Some(body) = endpoint.body {
        operation["requestBody"] =
            json!({"required": true, "content": {"application/json": {"schema": named(body)}}});
    }
    let item = paths.entry(path).or_insert_with(|| json!({}));
    item[endpoint.method.as_str().to_ascii_lowercase()] = operation;
}

fn responses(answer: Answer) -> Value {
    let mut responses = json!({
        "default": {
            "description": "Refused, or failed",
            "content": {"application/json": {"schema": named("Problem")}},
        },
    });
    let content = |kind: &str, schema: Value| json!({kind: {"schema": schema}});
    let content = match answer {
        Answer::One(name) => content("application/json", named(name)),
        Answer::List(name) => {
            content("application/json", json!({"type": "array", "items": named(name)}))
        }
        Answer::Text => content("text/plain", json!({"type": "string"})),
        Answer::Picture => content("image/jpeg", json!({})),
        Answer::Empty => json!({}),
        Answer::Missing => {
            responses["501"] = json!({"description": "Portico does not do this yet"});
            return responses;
        }
    };
    responses["200"] = json!({"description": "Done", "content": content});
    responses
}

fn named(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

fn schemas() -> Value {
    let text = json!({"type": "string"});
    let flag = json!({"type": "boolean"});
    let whole = json!({"type": "integer"});
    let any = json!({"type": "object"});
    let media = json!({"type": "object", "properties": {"audio": flag, "video": flag}});
    let object = |required: &[&str], properties: Value| json!({"type": "object", "required": required, "properties": properties});
    let list = |items: &Value| json!({"type": "array", "items": items});
    let operation = |paths: Value| {
        let verbs = json!({"enum": ["add", "remove", "replace"]});
        let properties = json!({"op": verbs, "path": paths, "value": {}});
        list(&object(&["op", "path", "value"], properties))
    };
    let permission = json!({"publish": media, "subscribe": media});
    json!({
        "Problem": object(&["error"], json!({
            "error": object(&["code", "message"], json!({"code": whole, "message": text})),
        })),
        "NewService": object(&["name"], json!({"name": text, "key": text})),
        "Service": object(&["_id", "id", "name", "super"], json!({
            "_id": text, "id": text, "name": text, "super": flag, "key": text,
        })),
        "NewRoom": object(&["name"], json!({"name": text, "options": named("Room")})),
        "Room": object(&[], json!({
            "_id": text, "id": text, "name": text,
            "inputLimit": whole, "participantLimit": whole,
            "selectActiveAudio": flag, "enableBandwidthAdaptation": flag,
            "roles": list(&object(&["role"], json!({
                "role": text, "publish": media, "subscribe": media,
            }))),
            "views": list(&any), "mediaIn": any, "mediaOut": any, "transcoding": any,
            "notifying": object(&[], json!({
                "participantActivities": flag, "streamChange": flag,
            })),
            "sip": any,
        })),
        "Participant": object(&["id", "user", "role", "permission"], json!({
            "id": text, "user": text, "role": text,
            "permission": object(&["publish", "subscribe"], permission),
        })),
        "ParticipantPatch": operation(json!({
            "type": "string",
            "pattern": "^/permission/(publish|subscribe)(/(audio|video))?$",
        })),
        "Stream": object(&["id", "type", "media", "info"], json!({
            "id": text, "type": {"enum": ["forward", "mixed"]}, "media": any, "info": any,
        })),
        "StreamPatch": operation(json!({"enum": [
            "/info/inViews", "/media/audio/status", "/media/video/status", "/info/layout",
            "/info/layout/{index}/stream",
        ]})),
        "NewToken": object(&["user", "role"], json!({
            "user": text, "role": text, "preference": any,
        })),
    })
}
