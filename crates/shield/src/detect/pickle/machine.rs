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
            b'0' => {
                self.stack.pop();
            }
            b'2' => {
                let top = self.stack.last().copied()?;
                self.push(top);
            }
            // What is put together from what lies above the mark.
            b't' | b'l' | b'd' | 0x91 | b'o' => {
                self.drop_to_mark()?;
                self.push(Value::Other);
            }
            b'1' | b'e' | b'u' | 0x90 => self.drop_to_mark()?,
            // What is filled stays where it is.
            b'a' | b'b' => self.pop(1)?,
            b's' => self.pop(2)?,
            0x85 => self.replace(1)?,
            // The callable lies below the arguments.
            0x86 | b'R' | 0x81 => self.replace(2)?,
            0x87 | 0x92 => self.replace(3)?,
            b'c' | b'i' | 0x93 => self.name(opcode)?,
            b'p' | b'q' | b'r' | 0x94 => self.keep(opcode)?,
            b'g' | b'h' | b'j' => self.recall(opcode)?,
            // Versions, frames, buffers: nothing to know.
            b'Q' | 0x98 => {}
            0x80 => self.skip(1)?,
            0x95 => self.skip(8)?,
            _ => self.value(opcode)?,
        }
        Some(true)
    }

    /// An opcode that puts a value on the stack.
    fn value(&mut self, opcode: u8) -> Option<()> {
        match opcode {
            b'N' | b')' | b']' | b'}' | 0x88 | 0x89 | 0x8F | 0x97 => {}
            b'F' | b'I' | b'L' | b'P' => {
                self.line()?;
            }
            b'K' | 0x82 => self.skip(1)?,
            b'M' | 0x83 => self.skip(2)?,
            b'J' | 0x84 => self.skip(4)?,
            b'G' => self.skip(8)?,
            b'C' | 0x8A => {
                self.counted(1)?;
            }
            b'B' | 0x8B => {
                self.counted(4)?;
            }
            0x8E | 0x96 => {
                self.counted(8)?;
            }
            _ => {
                let text = self.text(opcode)?;
                self.is_odd |= calls::is_odd(text);
                self.push(Value::Text(text));
                return Some(());
            }
        }
        self.push(Value::Other);
        Some(())
    }

    fn text(&mut self, opcode: u8) -> Option<&'a [u8]> {
        match opcode {
            b'S' | b'V' => {
                let line = self.line()?;
                Some(match line {
                    [b'\'', rest @ .., b'\''] | [b'"', rest @ .., b'"'] => rest,
                    _ => line,
                })
            }
            b'U' | 0x8C => self.counted(1),
            b'T' | b'X' => self.counted(4),
            0x8D => self.counted(8),
            _ => None,
        }
    }

    /// A module and what is called of it.
    fn name(&mut self, opcode: u8) -> Option<()> {
        if opcode == 0x93 {
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
            return Some(());
        }
        let (module, name) = (self.line()?, self.line()?);
        if opcode == b'i' {
            self.drop_to_mark()?;
        }
        self.called(module, name);
        Some(())
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

    fn pop(&mut self, count: usize) -> Option<()> {
        let left = self.stack.len().checked_sub(count)?;
        self.stack.truncate(left);
        Some(())
    }

    fn replace(&mut self, count: usize) -> Option<()> {
        self.pop(count)?;
        self.push(Value::Other);
        Some(())
    }

    fn drop_to_mark(&mut self) -> Option<()> {
        while let Some(value) = self.stack.pop() {
            if matches!(value, Value::Mark) {
                return Some(());
            }
        }
        None
    }

    fn keep(&mut self, opcode: u8) -> Option<()> {
        let key = match opcode {
            b'p' => number(self.line()?)?,
            b'q' => self.number(1)?,
            b'r' => self.number(4)?,
            _ => self.next_memo,
        };
        self.next_memo += 1;
        if let (Some(top), true) = (self.stack.last(), self.memo.len() < MAX_STACK) {
            self.memo.insert(key, *top);
        }
        Some(())
    }

    fn recall(&mut self, opcode: u8) -> Option<()> {
        let key = match opcode {
            b'g' => number(self.line()?)?,
            b'h' => self.number(1)?,
            _ => self.number(4)?,
        };
        let value = self.memo.get(&key).copied().unwrap_or(Value::Other);
        self.push(value);
        Some(())
    }

    fn skip(&mut self, length: usize) -> Option<()> {
        self.take(length).map(|_| ())
    }

    fn counted(&mut self, width: usize) -> Option<&'a [u8]> {
        let length = usize::try_from(self.number(width)?).ok()?;
        self.take(length)
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

fn number(line: &[u8]) -> Option<u64> {
    str::from_utf8(line).ok()?.parse().ok()
}
