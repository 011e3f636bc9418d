//! The reader against the rules as they are written down, on the whole text, wherever the bytes are split.

use proptest::prelude::*;

use super::*;

/// Name and data.
type Owned = (Vec<u8>, Vec<u8>);

fn owned(event: SseEvent<'_>) -> Owned {
    (event.name.to_vec(), event.data.to_vec())
}

/// The events of a stream that comes in these pieces.
fn read(pieces: &[&[u8]]) -> Result<Vec<Owned>, TooLarge> {
    let mut reader = SseReader::default();
    let mut events = Vec::new();
    for piece in pieces {
        let mut chunk = *piece;
        while let Some(event) = reader.next_event(&mut chunk)? {
            events.push(owned(event));
        }
    }
    Ok(events)
}

fn event(name: &str, data: &str) -> Owned {
    (name.into(), data.into())
}

/// The rules applied to a whole text, line by line.
fn model(text: &str) -> Vec<Owned> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let text = text.replace("\r\n", "\n").replace('\r', "\n");
    // What stands behind the last line's end is no line.
    let Some((lines, _)) = text.rsplit_once('\n') else { return Vec::new() };
    let (mut events, mut name, mut data) = (Vec::new(), "", String::new());
    for line in lines.split('\n') {
        match line.split_once(':').unwrap_or((line, "")) {
            ("", "") if line.is_empty() => {
                if let Some(data) = data.strip_suffix('\n') {
                    events.push(event(name, data));
                }
                name = "";
                data.clear();
            }
            ("event", value) => name = value.strip_prefix(' ').unwrap_or(value),
            ("data", value) => {
                data += value.strip_prefix(' ').unwrap_or(value);
                data.push('\n');
            }
            _ => {}
        }
    }
    events
}

#[test]
fn each_rule_holds() {
    for (text, expected) in [
        ("event: ping\ndata: {}\n\n", vec![event("ping", "{}")]),
        ("event:ping\rdata:{}\r\r", vec![event("ping", "{}")]),
        ("event: ping\r\ndata:  {}\r\n\r\n", vec![event("ping", " {}")]),
        ("\u{feff}data: 1\n\n\u{feff}data: 2\n\n", vec![event("", "1")]),
        ("data: 1\ndata:2\ndata\n\n", vec![event("", "1\n2\n")]),
        ("data\n\ndata:\n\n", vec![event("", ""), event("", "")]),
        (": a comment\nid: 7\nretry: 1\nunknown: x\nunknown\ndata: 1\n\n", vec![event("", "1")]),
        ("event: of nothing\n\ndata: 1\n\n", vec![event("", "1")]),
        ("event: a\nevent: b\ndata: 1\n\n", vec![event("b", "1")]),
        ("event: cut off\ndata: 1\n", vec![]),
        ("", vec![]),
    ] {
        assert_eq!(read(&[text.as_bytes()]), Ok(expected.clone()), "{text:?}");
        assert_eq!(model(text), expected, "the model, {text:?}");
    }
}

#[test]
fn an_event_is_there_as_soon_as_its_empty_line_is() {
    let mut reader = SseReader::default();
    let mut chunk = &b"data: 1\r\n\r"[..];
    assert_eq!(reader.next_event(&mut chunk).map(|event| event.map(owned)), Ok(Some(event("", "1"))));
    assert_eq!(reader.next_event(&mut chunk), Ok(None));
    chunk = b"\ndata: 2\r\n\r\n";
    assert_eq!(reader.next_event(&mut chunk).map(|event| event.map(owned)), Ok(Some(event("", "2"))));
}

#[test]
fn bytes_that_are_no_text_pass() {
    let [event] = &read(&[b"data: \xff\xfe\0\n\n"]).unwrap()[..] else { panic!("one event") };
    assert_eq!(event.1, b"\xff\xfe\0");
}

#[test]
fn an_event_may_be_large_but_not_larger() {
    let largest = vec![b'x'; LARGEST_EVENT - "data:".len()];
    let [event] = &read(&[b"data:", &largest, b"\n\n"]).unwrap()[..] else { panic!("one event") };
    assert_eq!(event.1.len(), largest.len());
    assert_eq!(read(&[b"data: ", &largest, b"\n\n"]), Err(TooLarge));
    // Whether its lines are one or many, data or comments, and whether their end ever comes.
    assert_eq!(read(&[b"data:1\ndata:", &largest, b"\n\n"]), Err(TooLarge));
    assert_eq!(read(&[b"data:1\nevent:", &largest, b"\n\n"]), Err(TooLarge));
    assert_eq!(read(&[b":::::", &largest, b"x"]), Err(TooLarge));
    assert_eq!(TooLarge.to_string(), "an event is larger than 16 MiB");
}

/// With anything less than work in proportion to the bytes this would not end.
#[test]
fn a_long_line_in_single_bytes_is_no_more_work_than_in_one_piece() {
    let mut reader = SseReader::default();
    let text = format!("data: {}\n\n", "x".repeat(1 << 20));
    let mut sizes = Vec::new();
    for byte in text.bytes() {
        let event = reader.next_event(&mut &[byte][..]).unwrap();
        sizes.extend(event.map(|event| event.data.len()));
    }
    assert_eq!(sizes, [1 << 20]);
}

/// Text in which the rules have something to do.
fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => prop_oneof![Just("\n"), Just("\r"), Just("\r\n")].prop_map(str::to_owned),
        3 => prop_oneof![Just("data"), Just("event"), Just("id"), Just("")].prop_map(str::to_owned),
        3 => prop_oneof![Just(":"), Just(": "), Just(" "), Just("\u{feff}")].prop_map(str::to_owned),
        2 => "[a-z:é世🦀{}\" ]{0,8}",
    ];
    proptest::collection::vec(part, 0..60).prop_map(|parts| parts.concat())
}

/// The text cut at these places, which may be the same, or in the middle of a character.
fn cut<'t>(text: &'t [u8], places: &[proptest::sample::Index]) -> Vec<&'t [u8]> {
    let mut places: Vec<usize> = places.iter().map(|place| place.index(text.len() + 1)).collect();
    places.sort_unstable();
    let ends = places.iter().copied().chain([text.len()]);
    let starts = [0].into_iter().chain(places.iter().copied());
    starts.zip(ends).map(|(start, end)| &text[start..end]).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    /// B-46
    #[test]
    fn every_split_gives_what_the_whole_text_says(
        text in text(),
        places in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
    ) {
        let pieces = cut(text.as_bytes(), &places);
        prop_assert_eq!(read(&pieces).unwrap(), model(&text));
    }

    #[test]
    fn any_bytes_are_read_alike_wherever_they_are_split(
        bytes in proptest::collection::vec(prop_oneof![any::<u8>(), Just(b'\n'), Just(b'\r'), Just(b':')], 0..200),
        places in proptest::collection::vec(any::<proptest::sample::Index>(), 0..8),
    ) {
        let text = [b"data:", &bytes[..], b"\n\n"].concat();
        prop_assert_eq!(read(&cut(&text, &places)), read(&[&text]));
    }
}
