//! A zip archive from its beginning, without its directory: where that is missing, or where the archive
//! is too long to be held.

use std::io::Read;

use super::super::super::compressed::packed::Packed;
use super::super::super::compressed::series::Series;
use super::super::members::{Members, Sort};
use super::super::rules;
use super::directory::Listed;
use super::entry;
use super::header::{self, Header, SIZES_FOLLOW};
use crate::budget::Step;
use crate::walk::Walk;

/// All files that have a header in front of them.
pub(in crate::extract) fn through(walk: &mut Walk<'_>, _: &str, from: &mut dyn Read) -> Step {
    let mut members = Members::default();
    let mut packed = Packed::new(walk.budget.counted(from));
    while walk.read(packed.skip_to(b"PK\x03\x04")) == Some(true) {
        let Some(header) = header::read(&mut packed) else {
            walk.found(&super::super::super::UNREADABLE, None);
            continue;
        };
        let listed = as_listed(&header);
        members.name(walk, &listed.name, Sort::Folder)?;
        let is_open_ended = header.flags & SIZES_FOLLOW != 0 && header.packed == 0;
        if !is_open_ended {
            let mut file = Read::by_ref(&mut packed).take(header.packed);
            entry::look(walk, &listed, &mut members, &mut file)?;
            continue;
        }
        // Only what marks its own end can be told from what follows.
        let begin = entry::begin(header.method, header.flags, 0);
        let Some(begin) = begin.filter(|_| header.method != 0 && header.flags & 1 == 0) else {
            walk.inside(&listed.name, |walk| walk.found(&rules::UNSUPPORTED, None));
            continue;
        };
        let layer = walk.budget.layer(&packed.taken());
        let mut series = Series::one(packed, begin);
        walk.look_into(&listed.name, &mut series)?;
        drop(layer);
        let Some(rest) = series.into_rest() else {
            return Ok(());
        };
        packed = rest;
    }
    members.end(walk);
    Ok(())
}

fn as_listed(header: &Header) -> Listed {
    Listed {
        at: 0,
        flags: header.flags,
        method: header.method,
        packed: header.packed,
        said: (header.flags & SIZES_FOLLOW == 0).then_some((header.sum, header.size)),
        is_link: false,
        name: super::super::super::decoded(&header.name).into(),
        raw_name: 0,
    }
}
