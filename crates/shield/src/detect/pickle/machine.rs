//! Reads the opcodes and keeps what a name on the stack is; nothing is made and nothing is called.

use std::collections::HashMap;

use super::calls;

/// What is called when the objects are loaded.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) module: String,
    pub(super) name: String,
}

/// What lies on the stack.
#[derive(Clone, Copy, Debug)]
enum Value<'a> {
    Mark,
    Text(&'a [u8]),
    Other,
}

/// Reads one object.
pub(super) struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    stack: Vec<Value<'a>>,
    memo: HashMap<u64, Value<'a>>,
    next_memo: u64,
    calls: Vec<Call>,
    is_odd: bool,
}

/// More than this are not kept: what is deeper is read, but names are not known any more.
const MAX_STACK: usize = 1 << 16;
const MAX_CALLS: usize = 1000;

impl<'a> Machine<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            at: 0,
            stack: Vec::new(),
            memo: HashMap::new(),
            next_memo: 0,
            calls: Vec::new(),
            is_odd: false,
        }
    }

    /// Reads until the end of the object: where that is. Nothing where it breaks off, which loading also
    /// does only after it has called what came before.
    pub(super) fn run(&mut self) -> Option<usize> {
        loop {
            if !self.step()? {
                return Some(self.at);
            }
        }
    }

    pub(super) fn calls(&self) -> &[Call] {
        &self.calls
    }

    /// Whether it names what only somebody needs who climbs out.
    pub(super) fn says_odd_names(&self) -> bool {
        self.is_odd
    }

    /// One opcode: whether it goes on. Nothing where it is none.
    fn step(&mut self) -> Option<bool> {
        let opcode = *self.take(1)?.first()?;
        match opcode {
            b'.' => return Some(false),
            b'(' => self.push(Value::Mark),
            b'0' | b'1' => self.drop_one(opcode == b'1'),
            b'2' => {
                let top = self.stack.last().copied()?;
                self.push(top);
            }
            // Numbers and constants.
            b'F' | b'I' | b'L' => {
                self.line()?;
                self.push(Value::Other);
            }
            b'J' => self.skip(4)?,
            b'K' => self.skip(1)?,
            b'M' => self.skip(2)?,
            b'G' => self.skip(8)?,
            0x8A => self.counted(1, Kept::No)?,
            0x8B => self.counted(4, Kept::No)?,
            b'N' | 0x88 | 0x89 | b')' | b']' | b'}' | 0x8F => self.push(Value::Other),
            // Texts.
            b'S' | b'V' => {
                let line = self.line()?;
                let quotes: &[u8] = b"'\"";
                let line = match line {
                    [first, rest @ .., last] if quotes.contains(first) && first == last => rest,
                    _ => line,
                };
                self.text(line);
            }
            b'T' | b'X' => self.counted(4, Kept::Text)?,
            b'U' | 0x8C => self.counted(1, Kept::Text)?,
            0x8D => self.counted(8, Kept::Text)?,
            b'B' => self.counted(4, Kept::No)?,
            b'C' => self.counted(1, Kept::No)?,
            0x8E | 0x96 => self.counted(8, Kept::No)?,
            0x97 => self.push(Value::Other),
            0x98 => {}
            // What is put together from what lies above the mark.
            b't' | b'l' | b'd' | 0x91 | b'o' => {
                self.to_mark()?;
                self.push(Value::Other);
            }
            b'e' | b'u' | 0x90 => self.to_mark()?,
            b'a' | b'b' | 0x86 | b'R' | 0x81 => {
                self.pop(if opcode == 0x86 { 2 } else { 1 }, opcode)?
            }
            b's' => self.pop(2, opcode)?,
            0x85 => self.pop(1, opcode)?,
            0x87 => self.pop(3, opcode)?,
            0x92 => self.pop(2, opcode)?,
            // Names.
            b'c' => {
                let (module, name) = (self.line()?, self.line()?);
                self.called(module, name);
            }
            b'i' => {
                let (module, name) = (self.line()?, self.line()?);
                self.to_mark()?;
                self.called(module, name);
            }
            0x93 => {
                let (name, module) = (self.stack.pop()?, self.stack.pop()?);
                let unknown: &[u8] = b"?";
                let of = |it| {
                    if let Value::Text(text) = it {
                        text
                    } else {
                        unknown
                    }
                };
                self.called(of(module), of(name));
            }
            0x82 => self.skip(1)?,
            0x83 => self.skip(2)?,
            0x84 => self.skip(4)?,
            // What is kept for later.
            b'p' => {
                let key = number(self.line()?)?;
                self.keep(key);
            }
            b'q' => {
                let key = self.number(1)?;
                self.keep(key);
            }
            b'r' => {
                let key = self.number(4)?;
                self.keep(key);
            }
            0x94 => self.keep(self.next_memo),
            b'g' => {
                let key = number(self.line()?)?;
                self.recall(key);
            }
            b'h' => {
                let key = self.number(1)?;
                self.recall(key);
            }
            b'j' => {
                let key = self.number(4)?;
                self.recall(key);
            }
            b'P' => {
                self.line()?;
                self.push(Value::Other);
            }
            b'Q' => {}
            0x80 => {
                self.take(1)?;
            }
            0x95 => {
                self.take(8)?;
            }
            _ => return None,
        }
        Some(true)
    }

    fn called(&mut self, module: &[u8], name: &[u8]) {
        let call = Call {
            module: String::from_utf8_lossy(module).into_owned(),
            name: String::from_utf8_lossy(name).into_owned(),
        };
        if self.calls.len() < MAX_CALLS {
            self.calls.push(call);
        }
        self.push(Value::Other);
    }

    fn push(&mut self, value: Value<'a>) {
        if self.stack.len() >= MAX_STACK {
            // The lower half is of lists that are still being filled.
            self.stack.drain(..MAX_STACK / 2);
        }
        self.stack.push(value);
    }

    fn text(&mut self, text: &'a [u8]) {
        self.is_odd |= calls::is_odd(text);
        self.push(Value::Text(text));
    }

    /// Takes these many and puts one, where the opcode makes one of them; an empty stack is an end.
    fn pop(&mut self, count: usize, opcode: u8) -> Option<()> {
        let left = self.stack.len().checked_sub(count)?;
        self.stack.truncate(left);
        match opcode {
            // What is filled stays where it is.
            b'a' | b'b' | b's' => {}
            // The callable lies below the arguments.
            b'R' | 0x81 | 0x92 => {
                self.stack.pop()?;
                self.push(Value::Other);
            }
            _ => self.push(Value::Other),
        }
        Some(())
    }

    fn drop_one(&mut self, to_mark: bool) {
        if to_mark {
            self.to_mark();
        } else {
            self.stack.pop();
        }
    }

    fn to_mark(&mut self) -> Option<()> {
        while let Some(value) = self.stack.pop() {
            if matches!(value, Value::Mark) {
                return Some(());
            }
        }
        None
    }

    fn keep(&mut self, key: u64) {
        self.next_memo += 1;
        if let (Some(top), true) = (self.stack.last(), self.memo.len() < MAX_STACK) {
            self.memo.insert(key, *top);
        }
    }

    fn recall(&mut self, key: u64) {
        let value = self.memo.get(&key).copied().unwrap_or(Value::Other);
        self.push(value);
    }

    /// A value of these many bytes, of which nothing has to be known.
    fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length)?;
        self.push(Value::Other);
        Some(())
    }

    fn counted(&mut self, width: usize, kept: Kept) -> Option<()> {
        let length = usize::try_from(self.number(width)?).ok()?;
        let bytes = self.take(length)?;
        match kept {
            Kept::Text => self.text(bytes),
            Kept::No => self.push(Value::Other),
        }
        Some(())
    }

    fn number(&mut self, width: usize) -> Option<u64> {
        let bytes = self.take(width)?.iter().rev();
        Some(bytes.fold(0, |sum, it| sum << 8 | u64::from(*it)))
    }

    fn line(&mut self) -> Option<&'a [u8]> {
        let rest = self.bytes.get(self.at..)?;
        let end = memchr::memchr(b'\n', rest)?;
        let line = rest.get(..end)?;
        self.at += end + 1;
        Some(line.trim_ascii_end())
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let bytes = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(bytes)
    }
}

/// Whether what was read may be a name later.
enum Kept {
    Text,
    No,
}

fn number(line: &[u8]) -> Option<u64> {
    str::from_utf8(line).ok()?.parse().ok()
}
