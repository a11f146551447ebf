//! Lines as agents write them, and lines as they do not, cut anywhere.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{Seen, search};

const END: usize = 4096;

fn seen(line: &str) -> Seen {
    let line = line.as_bytes();
    search(&line[..line.len().min(END)], &line[line.len().saturating_sub(END)..])
}

fn expect(method: Option<&str>, id: Option<&str>, thread_id: Option<&str>) -> Seen {
    let own = |text: Option<&str>| text.map(str::to_owned);
    Seen { method: own(method), id: own(id), thread_id: own(thread_id) }
}

fn long() -> String {
    // Every trap: quotes, backslashes, brackets, and members that look like the real ones.
    r#"{\"id\":1,\"method\":\"x\"}\\\\\", ]}\\"#.repeat(1000)
}

#[test]
fn a_turn_completed_with_huge_items_names_its_thread() {
    let long = long();
    for line in [
        format!(
            r#"{{"method":"turn/completed","params":{{"threadId":"t1","turn":{{"id":"u","items":[{{"text":"{long}"}}]}}}}}}"#
        ),
        format!(
            r#"{{"method":"turn/completed","params":{{"turn":{{"id":"u","items":[{{"text":"{long}"}}]}},"threadId":"t1"}},"emittedAtMs":17}}"#
        ),
        format!(
            r#"{{"params":{{"threadId":"t1","turn":{{"threadId":"no","items":["{long}"]}}}},"method":"turn/completed"}}"#
        ),
    ] {
        assert_eq!(seen(&line), expect(Some("turn/completed"), None, Some("t1")));
    }
}

#[test]
fn a_response_names_the_request_it_answers() {
    let long = long();
    for (line, id) in [
        (format!(r#"{{"id":4294967301,"result":{{"data":"{long}"}}}}"#), "4294967301"),
        (format!(r#"{{"id":"a\"b","result":["{long}"]}}"#), r#""a\"b""#),
        (format!(r#"{{ "result" : {{"id":7,"data":"{long}"}} , "id" : -5 }}  "#), "-5"),
        (format!(r#"{{"result":"{long}","id":5}}"#), "5"),
    ] {
        assert_eq!(seen(&line), expect(None, Some(id), None));
    }
}

#[test]
fn a_server_request_names_method_id_and_thread() {
    let line = format!(
        r#"{{"method":"item/tool/call","id":0,"params":{{"arguments":{{"threadId":"no","x":[{{}},"{}"]}},"threadId":"t","x":{{"threadId":"no"}}}}}}"#,
        long()
    );
    assert_eq!(seen(&line), expect(Some("item/tool/call"), Some("0"), Some("t")));
}

#[test]
fn members_deeper_down_are_not_taken_for_those_of_the_top() {
    let line =
        format!(r#"{{"result":{{"id":1,"method":"m","params":{{"threadId":"t"}},"x":"{}"}}}}"#, long());
    assert_eq!(seen(&line), Seen::default());
    let line = format!(r#"{{"a":{{"threadId":"t"}},"b":"{}","c":{{"threadId":"t"}}}}"#, long());
    assert_eq!(seen(&line), Seen::default());
}

#[test]
fn an_id_of_null_is_none() {
    assert_eq!(seen(r#"{"id":null,"method":5}"#), Seen::default());
}

#[test]
fn garbage_shows_nothing_and_harms_nothing() {
    let open = "[".repeat(9000);
    let quotes = "\"".repeat(9000);
    let slashes = "\\".repeat(9000) + "\"}";
    for line in ["", "}", "x", "{", "]]]]", "{\"id\":", ":::}", "id:5}", &open, &quotes, &slashes] {
        assert_eq!(seen(line), Seen::default(), "{line:.20}");
    }
}

#[test]
fn half_a_line_shows_its_head() {
    let line = format!(r#"{{"method":"m","id":1,"params":{{"text":"{}"#, "x".repeat(9000));
    assert_eq!(seen(&line), expect(Some("m"), Some("1"), None));
}

fn value() -> impl Strategy<Value = Value> {
    let text = prop_oneof!["[a-z\"\\\\{}:,\\[\\] ä]{0,12}", Just("id".into()), Just("threadId".into())];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        text.clone().prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            proptest::collection::vec((text.clone(), inner), 0..6)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_found_is_true(
        id in prop_oneof![any::<i64>().prop_map(Value::from), "[a-z\"\\\\]{0,9}".prop_map(Value::from)],
        method in "[a-z/\"\\\\]{1,9}",
        thread in "[a-z\"\\\\]{1,9}",
        more in value(),
        order in Just([0_usize, 1, 2]).prop_shuffle(),
        thread_first in any::<bool>(),
        cut in 0_usize..200,
    ) {
        let thread_member = format!("\"threadId\":{}", json!(thread));
        let more = format!("\"more\":{more}");
        let params = if thread_first {
            format!("{{{thread_member},{more}}}")
        } else {
            format!("{{{more},{thread_member}}}")
        };
        let members = [format!("\"id\":{id}"), format!("\"method\":{}", json!(method)), format!("\"params\":{params}")];
        let line = format!("{{{}}}", order.map(|index| members[index].clone()).join(","));
        let line = line.as_bytes();
        let whole = Seen { method: Some(method), id: Some(id.to_string()), thread_id: Some(thread) };
        prop_assert_eq!(&search(line, line), &whole);

        let found = search(&line[..cut.min(line.len())], &line[line.len().saturating_sub(cut)..]);
        prop_assert!(found.method.is_none() || found.method == whole.method);
        prop_assert!(found.id.is_none() || found.id == whole.id);
        prop_assert!(found.thread_id.is_none() || found.thread_id == whole.thread_id);
    }
}
