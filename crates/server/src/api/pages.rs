//! Lists that are answered in pages.

use agentdrop_protocol::Cursor;
use agentdrop_protocol::cursor::Position;
use agentdrop_protocol::limits::MAX_PAGE;

use super::fields::Fields;

/// Which part of a list a query asks for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page<P> {
    /// At most so many.
    pub(super) limit: u32,
    /// After passing over so many.
    pub(super) offset: u32,
    /// Only what stands behind this one.
    pub(super) behind: Option<P>,
}

impl<P: Position> Page<P> {
    /// Reads `limit` and `cursor`, of a list that nobody counts from its beginning.
    pub(super) fn without_offset(query: &mut Fields, default_limit: u32) -> Self {
        let limit = query.number("limit", 1, MAX_PAGE);
        Self {
            limit: limit.unwrap_or(default_limit),
            offset: 0,
            behind: Self::cursor(query),
        }
    }

    /// Reads `limit`, and `offset` or `cursor`.
    pub(super) fn of(query: &mut Fields, default_limit: u32) -> Self {
        let limit = query.number("limit", 1, MAX_PAGE);
        let offset = query.number("offset", 0, i32::MAX.cast_unsigned());
        let behind = Self::cursor(query);
        if behind.is_some() && offset.is_some() {
            query.refuse("cursor", "must not stand beside offset");
        }
        Self {
            limit: limit.unwrap_or(default_limit),
            offset: offset.unwrap_or(0),
            behind,
        }
    }

    fn cursor(query: &mut Fields) -> Option<P> {
        let cursor: Option<Cursor> = query.optional("cursor");
        let behind = cursor.map(|it| it.position()).transpose();
        behind.unwrap_or_else(|error| {
            query.refuse("cursor", error);
            None
        })
    }

    /// Of a list that was asked for one entry more than the page has, makes the page; answers the
    /// cursor behind it, if there is more.
    pub(super) fn cut<T>(&self, found: &mut Vec<T>, position: fn(&T) -> P) -> Option<Cursor> {
        let limit = self.limit as usize;
        let more = found.len() > limit;
        found.truncate(limit);
        let last = found.last().filter(|_| more);
        last.map(|it| Cursor::behind(&position(it)))
    }
}
