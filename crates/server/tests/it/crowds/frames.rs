//! Frames of HTTP/2, RFC 9113 §4.1, as no client library would send them.

pub(super) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const PING: u8 = 6;
pub(super) const CONTINUATION: u8 = 9;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
const SETTINGS: u8 = 4;
const INITIAL_WINDOW_SIZE: u8 = 4;

pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// How a connection begins whose streams have room for so many bytes.
pub(super) fn beginning(window: u32) -> Vec<u8> {
    let setting = [&[0, INITIAL_WINDOW_SIZE][..], &window.to_be_bytes()].concat();
    [PREFACE, &frame(SETTINGS, 0, 0, &setting)].concat()
}

/// The head of a request without a body, in no table: RFC 7541 §6.2.2.
pub(super) fn get(path: &str) -> Vec<u8> {
    let fields = [
        (":method", "GET"),
        (":scheme", "http"),
        (":authority", "x"),
        (":path", path),
    ];
    let mut block = Vec::new();
    for (name, value) in fields {
        block.push(0);
        push(&mut block, name);
        push(&mut block, value);
    }
    block
}

fn push(block: &mut Vec<u8>, text: &str) {
    // A number in seven bits, or more of them: RFC 7541 §5.1.
    let length = text.len();
    if length < 127 {
        block.push(u8::try_from(length).unwrap());
    } else {
        block.push(127);
        let mut rest = length - 127;
        while rest >= 128 {
            block.push(u8::try_from(rest % 128).unwrap() | 128);
            rest /= 128;
        }
        block.push(u8::try_from(rest).unwrap());
    }
    block.extend_from_slice(text.as_bytes());
}
