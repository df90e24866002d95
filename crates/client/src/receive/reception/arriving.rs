//! Files that are opened as they come, and gone on with.

use std::sync::Arc;

use agentdrop_seal::OpenError;
use agentdrop_seal::native::{File as Said, Incoming, Kept};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderValue;

use super::super::arriving::Arriving;
use super::super::blocking;
use super::super::fetch::Fetch;
use super::super::grant::is_no_more;
use super::super::landing::Landing;
use super::super::staging::part;
use super::super::state::Part;
use super::{Opened, Reception, refused};
use crate::error::{Error, Result, TrustError};
use crate::progress::Phase;

/// What is here of a file that an earlier process opened as it came.
enum Here {
    /// As many bytes as it has.
    Whole,
    /// Its beginning, and what names it.
    Part(Kept, HeaderValue),
}

impl Here {
    /// How many bytes of the stream need not come.
    const fn stream_bytes(&self, said: &Said) -> u64 {
        match self {
            Self::Whole => said.sealed_size,
            Self::Part(kept, _) => kept.stream_bytes(),
        }
    }
}

impl Reception<'_> {
    /// Says how much of each file is here, that an earlier process opened as it came.
    pub(in crate::receive) async fn count_opened(&mut self, incoming: &Incoming) -> Result<()> {
        for (n, said) in (1..).zip(&incoming.manifest().files) {
            let here = self.opened_before(n, said).await?;
            if let Some(left) = self.left_bytes.get_mut(n) {
                *left = here.map_or(0, |it| it.stream_bytes(said));
            }
        }
        Ok(())
    }

    /// Fetches file `n`, and opens it as it comes.
    ///
    /// Of what an earlier process left nothing tells which byte of it is another than it was: if the
    /// whole is not what was sent, it comes once more.
    pub(in crate::receive) async fn open_as_it_comes(
        &mut self,
        n: usize,
        incoming: &Arc<Incoming>,
    ) -> Result<Opened> {
        let said = incoming.manifest().files.get(n.wrapping_sub(1)).cloned();
        let said = said.ok_or(TrustError::Changed(self.listed.id))?;
        let opened = match self.come(n, &said, incoming).await {
            Err(Error::Open { .. }) if self.forget_left(n).await? => {
                self.come(n, &said, incoming).await
            }
            opened => opened,
        };
        Ok(Opened {
            n,
            source: part(n),
            name: said.name,
            bytes: opened?,
            is_folder: false,
        })
    }

    /// Under whatever grant there is.
    async fn come(&mut self, n: usize, said: &Said, incoming: &Arc<Incoming>) -> Result<u64> {
        loop {
            match self.come_under_grant(n, said, incoming).await {
                Err(error) if self.is_worn && is_no_more(&error) => self.renew().await?,
                come => return come,
            }
        }
    }

    async fn come_under_grant(
        &mut self,
        n: usize,
        said: &Said,
        incoming: &Arc<Incoming>,
    ) -> Result<u64> {
        let changed = || Error::from(TrustError::Changed(self.listed.id));
        let granted = self.grant.files.get(n).ok_or_else(changed)?;
        let transport = self.client.transport();
        let url = transport.server.file(&granted.download_url)?;
        let here = self.opened_before(n, said).await?;
        let arriving = Arriving {
            incoming: Arc::clone(incoming),
            i: u32::try_from(n).map_err(|_| changed())?,
            name: said.name.clone(),
            size: said.size,
            file: self.watched(n, self.journal.part(n).await?.0, 1),
            naming: self.journal.naming(n),
        };
        let (before, total) = (self.bytes_before(n), self.total_bytes());
        // Of later files it is counted when they come: until then it is not done.
        let (watcher, resumed) = (&self.watcher, self.left_bytes.iter().take(n + 1).sum());
        let report = |done| watcher.report_resumed(Phase::Fetching, before + done, total, resumed);
        let here = match here {
            // No word to the server, which may have it no more.
            Some(Here::Whole) => {
                report(granted.size);
                return blocking(move || arriving.check_whole()).await;
            }
            Some(Here::Part(kept, etag)) => Some((kept, etag)),
            None => None,
        };
        let (landing, waiting) = Landing::opener();
        let mut fetch = Fetch::new(transport, url, granted.size, landing);
        let (kept, etag) = here.unzip();
        if let (Some(kept), Some(etag)) = (&kept, etag) {
            fetch = fetch.behind(kept.stream_bytes(), etag);
        }
        let opening = tokio::task::spawn_blocking(move || arriving.run(kept, waiting));
        let fetched = fetch.run(report).await;
        self.is_worn |= fetch.moved();
        // It ends when nothing more can come.
        drop(fetch);
        let opened = opening.await.expect("opening does not panic");
        // What does not open is why nothing more was taken.
        match (opened?, fetched) {
            (_, Err(error)) => Err(error),
            (Some(bytes), Ok(())) => Ok(bytes),
            (None, Ok(())) => Err(refused(OpenError::Refused, &said.name)),
        }
    }

    /// What is here of file `n`; nothing, where it has to come from its beginning.
    async fn opened_before(&self, n: usize, said: &Said) -> Result<Option<Here>> {
        let Part { etag, header, .. } = self.journal.known(n);
        let etag = etag.and_then(|it| HeaderValue::try_from(it).ok());
        let header = header.and_then(|it| STANDARD.decode(it).ok()?.try_into().ok());
        let Some(header) = header else {
            return Ok(None);
        };
        let here = self.journal.part(n).await?.1;
        if here == said.size {
            return Ok(Some(Here::Whole));
        }
        let Some(etag) = etag else {
            return Ok(None);
        };
        let kept = Kept::of(header, here, said.size, said.sealed_size);
        Ok(kept.map(|it| Here::Part(it, etag)))
    }
}
