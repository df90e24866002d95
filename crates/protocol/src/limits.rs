//! Every limit on sizes and counts, with its reason.

use std::time::Duration;

/// A slug stands in URLs and in tables on terminals.
pub const MAX_SLUG_CHARS: usize = 64;
/// The name of an agent, a key or an account, for people.
pub const MAX_NAME_CHARS: usize = 100;
/// What an agent says it does.
pub const MAX_DESCRIPTION_CHARS: usize = 2_000;
/// A sender's free-form label on a transfer.
pub const MAX_LABEL_CHARS: usize = 128;
/// An address of RFC 5321 §4.5.3.1.3 is at most this long.
pub const MAX_EMAIL_CHARS: usize = 256;
/// A password, which a person chooses: NIST SP 800-63B §3.1.1.2 asks for this many at least.
pub const MIN_PASSWORD_CHARS: usize = 8;
/// Nobody remembers more, and hashing has to end.
pub const MAX_PASSWORD_CHARS: usize = 256;
/// A message beside the files; what is longer is a file.
pub const MAX_MESSAGE_CHARS: usize = 5_000;
/// A message with an invitation, which a stranger reads.
pub const MAX_INVITE_MESSAGE_CHARS: usize = 500;
/// Metadata as JSON text; it is carried, not stored in bulk.
pub const MAX_METADATA_BYTES: usize = 16 * 1024;
/// An address to call back.
pub const MAX_URL_CHARS: usize = 2_048;
/// What common file systems take as one component.
pub const MAX_FILE_NAME_BYTES: usize = 255;
/// A content type; the registry's longest are below 100.
pub const MAX_CONTENT_TYPE_CHARS: usize = 127;
/// A reason given with an acknowledgement.
pub const MAX_REASON_CHARS: usize = 500;

/// Files in one transfer.
pub const MAX_FILES: usize = 100;
/// How long before now a sender may have made the id of its transfer: lists are in the order of ids.
pub const MAX_ID_AGE: Duration = Duration::from_hours(24);
/// How far ahead of the server's a sender's clock may be.
pub const MAX_CLOCK_LEAD: Duration = Duration::from_mins(5);
/// Downloads that one transfer may allow.
pub const MAX_DOWNLOADS: u32 = 1_000;
/// Downloads that a transfer allows where its sender says nothing.
pub const DEFAULT_DOWNLOADS: u32 = 10;
/// What a caller names a request with; longer than any UUID or hash.
pub const MAX_IDEMPOTENCY_KEY_CHARS: usize = 255;
/// For so long a repeated request is answered as the first one was.
pub const IDEMPOTENCY_WINDOW: Duration = Duration::from_hours(24);
/// Where a page begins, in base64; room for a position of another kind.
pub const MAX_CURSOR_CHARS: usize = 64;
/// Entries in one page of a list.
pub const MAX_PAGE: u32 = 100;
/// Entries in a page of transfers where the caller says nothing.
pub const DEFAULT_PAGE: u32 = 20;
/// Entries in a page of an inbox where the caller says nothing.
pub const DEFAULT_INBOX_PAGE: u32 = 50;

/// A JSON body; the largest names each of [`MAX_PARTS`] parts.
pub const MAX_JSON_BYTES: usize = 1024 * 1024;
/// A form field that is not a file: a hundred nonces as a JSON array, with room.
pub const MAX_FIELD_BYTES: usize = 64 * 1024;
/// One AES-256-GCM message: NIST SP 800-38D §5.2.1.1 allows 2^39 - 256 bits, and 16 bytes of tag.
pub const MAX_SEALED_BYTES: u64 = (1 << 36) - 32 + 16;
/// What encrypting a file adds to it, in each of the formats: one tag.
pub const SEAL_BYTES: u64 = 16;

/// Bytes in a part of a file where its sender says nothing.
pub const DEFAULT_PART_BYTES: u64 = 50 * 1024 * 1024;
/// Bytes in a part of a file, but for the last: as few and as many as S3 takes.
pub const MIN_PART_BYTES: u64 = 5 * 1024 * 1024;
/// See [`MIN_PART_BYTES`].
pub const MAX_PART_BYTES: u64 = 5 * 1024 * 1024 * 1024;
/// Parts of all files of a transfer together: each has an address, and all come in one answer.
pub const MAX_PARTS: u32 = 10_000;
/// What an uploaded part is answered with, and named by; room for those of any object store.
pub const MAX_ETAG_CHARS: usize = 128;
/// Whom a transfer is for, by a name or an address.
pub const MAX_RECIPIENT_CHARS: usize = 256;
/// What was announced may come for so long; then it is thrown away.
pub const UPLOAD_LIFETIME: Duration = Duration::from_hours(24);

/// A transfer lives at least this long.
pub const MIN_LIFETIME: Duration = Duration::from_mins(1);
/// A transfer lives this long where its sender says nothing.
pub const DEFAULT_LIFETIME: Duration = Duration::from_hours(24);
/// A transfer lives at most this long, whatever the plan.
pub const MAX_LIFETIME: Duration = Duration::from_hours(365 * 24);
/// A granted download may be fetched, and resumed, this long.
pub const GRANT_LIFETIME: Duration = Duration::from_hours(1);
/// After the last byte of an automatically deleted transfer was sent, it may be resumed this long.
pub const DELIVERY_GRACE: Duration = Duration::from_mins(10);
/// A connection token may be used this long.
pub const CONNECTION_TOKEN_LIFETIME: Duration = Duration::from_hours(1);
/// A session of a person who signed in lasts this long.
pub const SESSION_LIFETIME: Duration = Duration::from_hours(30 * 24);
/// A mailed link may be used this long.
pub const MAILED_LINK_LIFETIME: Duration = Duration::from_hours(1);

/// Sessions that an account has at a time; one more ends the oldest.
pub const MAX_SESSIONS: u32 = 100;
/// Invitations that an account may send within [`INVITE_WINDOW`]: each may become an e-mail to
/// somebody who did not ask for it.
pub const MAX_INVITES: u32 = 10;
/// For so long an invitation counts against [`MAX_INVITES`].
pub const INVITE_WINDOW: Duration = Duration::from_hours(1);
/// Transfers that an account may send within [`STRANGER_WINDOW`] to addresses that nobody is
/// registered with: each becomes an e-mail to somebody who did not ask for it.
pub const MAX_STRANGERS: u32 = 5;
/// For so long such a transfer counts against [`MAX_STRANGERS`].
pub const STRANGER_WINDOW: Duration = Duration::from_hours(24);
/// How long what happened can be asked for again.
pub const EVENT_WINDOW: Duration = Duration::from_hours(7 * 24);
/// Streams of events at a time, of one account.
pub const MAX_EVENT_STREAMS: usize = 64;
