//! What is left of what one scan may cost.
//!
//! Decoders share it, for they are asked for bytes when nobody else can count: what one of them takes in
//! is work too, whether anything comes out or not.

use std::cell::{Cell, RefCell};
use std::io::{self, Read};
use std::rc::Rc;
use std::time::Duration;

use crate::clock::Clock;
use crate::limits::Limits;

/// Why a scan ends before everything was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// More came out than may.
    Expanded,
    /// Much came out of little.
    Ratio,
    /// Too many files.
    Entries,
    /// It took too long, and there was much to look at.
    Time,
    /// It took too long, and there was little to look at.
    Slow,
}

/// Nothing, or why there is no going on. An extractor hands it on with `?`, and the scan ends.
pub(crate) type Step<T = ()> = Result<T, Stop>;

/// What is left of what one scan may cost. Clones are the same budget.
#[derive(Clone, Debug)]
pub(crate) struct Budget(Rc<Spent>);

#[derive(Debug)]
struct Spent {
    limits: Limits,
    input: u64,
    clock: Clock,
    expanded: Cell<u64>,
    worked: Cell<u64>,
    entries: Cell<u64>,
    decoders: Cell<u64>,
    clock_at: Cell<u64>,
    stopped: Cell<Option<Stop>>,
    /// What is being taken apart, from the input inwards.
    layers: RefCell<Vec<Layered>>,
}

/// What came out of a thing is measured by what went in: padding around a bomb does not hide it.
#[derive(Debug)]
struct Layered {
    taken: Rc<Cell<u64>>,
    expanded_before: u64,
}

/// A look at the clock for so many bytes.
const CLOCK_EVERY: u64 = 1 << 16;

impl Budget {
    pub(crate) fn new(limits: Limits, input: u64) -> Self {
        Self(Rc::new(Spent {
            limits,
            input,
            clock: Clock::start(),
            expanded: Cell::default(),
            worked: Cell::default(),
            entries: Cell::default(),
            decoders: Cell::default(),
            clock_at: Cell::new(CLOCK_EVERY),
            stopped: Cell::default(),
            layers: RefCell::new(vec![Layered {
                taken: Rc::new(Cell::new(input)),
                expanded_before: 0,
            }]),
        }))
    }

    pub(crate) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.0.clock
    }

    /// Whether the scan has to end.
    pub(crate) fn stopped(&self) -> Option<Stop> {
        self.0.stopped.get()
    }

    /// These many bytes came out of a decoder; call it for each buffer, before the next.
    pub(crate) fn expand(&self, bytes: u64) -> Step {
        let expanded = self.0.expanded.get().saturating_add(bytes);
        self.0.expanded.set(expanded);
        if expanded > self.0.limits.expanded {
            return self.stop(Stop::Expanded);
        }
        let is_bomb = |it: &Layered| {
            let out = expanded - it.expanded_before;
            let most = it.taken.get().max(1).saturating_mul(self.0.limits.ratio);
            out > Limits::RATIO_FROM && out > most
        };
        if self.0.layers.borrow().iter().any(is_bomb) {
            return self.stop(Stop::Ratio);
        }
        self.work(bytes)
    }

    /// One more file of an archive.
    pub(crate) fn entry(&self) -> Step {
        self.0.entries.set(self.0.entries.get() + 1);
        if self.0.entries.get() > self.0.limits.entries {
            return self.stop(Stop::Entries);
        }
        self.work(4096)
    }

    /// These many bytes are looked at: looks at the clock now and then.
    pub(crate) fn work(&self, bytes: u64) -> Step {
        if let Some(why) = self.0.stopped.get() {
            return Err(why);
        }
        let worked = self.0.worked.get().saturating_add(bytes);
        self.0.worked.set(worked);
        if worked >= self.0.clock_at.get() {
            self.0.clock_at.set(worked.saturating_add(CLOCK_EVERY));
            let more = Duration::from_secs(self.0.input / 40_000_000);
            let took = self.0.clock.took();
            if took > self.0.limits.time + more {
                let is_little = worked < took.as_secs().saturating_mul(Limits::SLOW);
                return self.stop(if is_little { Stop::Slow } else { Stop::Time });
            }
        }
        Ok(())
    }

    /// Begins to take something apart of which so many bytes were read, as the counter says at any time.
    pub(crate) fn layer(&self, taken: &Rc<Cell<u64>>) -> Layer {
        self.0.layers.borrow_mut().push(Layered {
            taken: Rc::clone(taken),
            expanded_before: self.0.expanded.get(),
        });
        Layer(self.clone())
    }

    /// How much memory decoders may still take.
    pub(crate) fn decoders_left(&self) -> u64 {
        let limit = self.0.limits.decoders;
        limit.saturating_sub(self.0.decoders.get())
    }

    /// Sets memory aside for a decoder, if there is as much.
    pub(crate) fn decoder(&self, bytes: u64) -> Option<Memory> {
        if bytes > self.decoders_left() {
            return None;
        }
        self.0.decoders.set(self.0.decoders.get() + bytes);
        Some(Memory(self.clone(), bytes))
    }

    /// What is read is counted, and is work.
    pub(crate) fn counted<'a>(&self, from: &'a mut dyn Read) -> Counted<'a> {
        Counted {
            from,
            taken: Rc::default(),
            budget: self.clone(),
        }
    }

    fn stop<T>(&self, why: Stop) -> Step<T> {
        self.0.stopped.set(Some(why));
        Err(why)
    }
}

/// Something that is being taken apart, until it is dropped.
#[derive(Debug)]
pub(crate) struct Layer(Budget);

impl Drop for Layer {
    fn drop(&mut self) {
        self.0.0.layers.borrow_mut().pop();
    }
}

/// Memory of a decoder, until it is dropped.
#[derive(Debug)]
pub(crate) struct Memory(Budget, u64);

impl Drop for Memory {
    fn drop(&mut self) {
        let decoders = &self.0.0.decoders;
        decoders.set(decoders.get() - self.1);
    }
}

/// What goes into a decoder.
pub(crate) struct Counted<'a> {
    from: &'a mut dyn Read,
    taken: Rc<Cell<u64>>,
    budget: Budget,
}

impl Counted<'_> {
    /// How many bytes were read so far.
    pub(crate) fn taken(&self) -> Rc<Cell<u64>> {
        Rc::clone(&self.taken)
    }

    pub(crate) const fn budget(&self) -> &Budget {
        &self.budget
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.from.read(buffer)?;
        self.taken.set(self.taken.get() + read as u64);
        let worked = self.budget.work(read as u64);
        worked.map_err(|_| io::Error::other("the scan ends"))?;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bomb_is_one_however_much_lies_around_it() {
        let budget = Budget::new(Limits::default(), 1 << 30);
        assert_eq!(budget.expand(Limits::RATIO_FROM + 1), Ok(()));
        let bomb = budget.layer(&Rc::new(Cell::new(100)));
        assert_eq!(budget.expand(Limits::RATIO_FROM), Ok(()));
        drop(bomb);
        let _bomb = budget.layer(&Rc::new(Cell::new(100)));
        assert_eq!(budget.expand(Limits::RATIO_FROM), Ok(()));
        assert_eq!(budget.expand(1), Err(Stop::Ratio));
        assert_eq!(budget.work(1), Err(Stop::Ratio), "there is no going on");
    }

    #[test]
    #[cfg(unix)]
    fn what_is_waited_for_costs_nothing_and_what_is_worked_does() {
        let limits = Limits {
            time: Duration::from_millis(100),
            ..Limits::default()
        };
        let budget = Budget::new(limits, 0);
        std::thread::sleep(Duration::from_millis(300));
        assert_eq!(budget.work(CLOCK_EVERY), Ok(()));
        let mut stop = std::iter::repeat_with(|| budget.work(CLOCK_EVERY));
        assert!(stop.find_map(Result::err).is_some());
    }

    #[test]
    fn decoders_share_their_memory() {
        let budget = Budget::new(Limits::default(), 0);
        let all = budget.decoder(budget.decoders_left());
        assert!(all.is_some() && budget.decoder(1).is_none());
        drop(all);
        assert!(budget.decoder(1).is_some());
    }
}
