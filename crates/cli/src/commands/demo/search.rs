//! Looks whether bytes of files, or their names, lie anywhere in a folder.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs::{self, File};
use std::io::{self, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use agentdrop_protocol::FileName;

/// Bytes of a sample: no 24 bytes of a file are anywhere by chance.
const SAMPLE_BYTES: usize = 24;
/// A shorter content would be found by chance.
const MIN_SAMPLE_BYTES: usize = 8;
/// A shorter name would be found by chance.
const MIN_NAME_BYTES: usize = 5;
/// Places in a file that samples are taken from.
const SAMPLES: u64 = 32;
/// A sample of fewer different bytes is like any other: zeros, spaces, dashes.
const MIN_DIFFERENT_BYTES: usize = 5;
const CHUNK_BYTES: usize = 1024 * 1024;

/// What bytes are of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum What {
    /// The content of a file.
    Content,
    /// The name of a file.
    Name,
    /// Something that is certainly there.
    Control,
}

/// Bytes to look for.
#[derive(Clone, Debug, Default)]
pub(super) struct Needles(Vec<(What, Vec<u8>)>);

/// What was looked through, and what was found.
#[derive(Debug, Default)]
pub(super) struct Looked {
    /// Files that were looked through.
    pub(super) files: usize,
    /// Their bytes.
    pub(super) bytes: u64,
    /// What was found, by its number, and where.
    found: BTreeMap<usize, PathBuf>,
}

impl Needles {
    /// Samples from all over the files, and their names.
    pub(super) fn of(files: &[PathBuf]) -> io::Result<Self> {
        let mut needles = BTreeSet::new();
        for path in files {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let composed = name.parse::<FileName>().map(|it| it.to_string());
            for name in [composed.unwrap_or_default(), name.into_owned()] {
                if name.len() >= MIN_NAME_BYTES {
                    needles.insert((What::Name, name.into_bytes()));
                }
            }
            // What cannot be sent, sending complains about.
            if !path.is_file() {
                continue;
            }
            let mut file = File::open(path)?;
            let bytes = file.metadata()?.len();
            let last = bytes.saturating_sub(SAMPLE_BYTES as u64);
            for n in 0..SAMPLES {
                file.seek(SeekFrom::Start(n * (last / (SAMPLES - 1)).max(1)))?;
                let mut sample = Vec::new();
                (&file).take(SAMPLE_BYTES as u64).read_to_end(&mut sample)?;
                let different: BTreeSet<_> = sample.iter().collect();
                if sample.len() >= MIN_SAMPLE_BYTES && different.len() >= MIN_DIFFERENT_BYTES {
                    needles.insert((What::Content, sample));
                }
            }
        }
        Ok(Self(needles.into_iter().collect()))
    }

    /// Adds something that is certainly there: where it is not found, the search is no good.
    pub(super) fn control(&mut self, bytes: &[u8]) {
        self.0.push((What::Control, bytes.to_vec()));
    }

    /// Leaves out what was there already.
    pub(super) fn without(self, looked: &Looked) -> Self {
        let known = |n: &usize| looked.found.contains_key(n);
        let left = self.0.into_iter().enumerate();
        let left = left.filter(|(n, (what, _))| *what == What::Control || !known(n));
        Self(left.map(|(_, needle)| needle).collect())
    }

    /// How many there are of a kind.
    pub(super) fn count(&self, what: What) -> usize {
        self.0.iter().filter(|(it, _)| *it == what).count()
    }

    /// The files in which one of a kind was found.
    pub(super) fn found<'a>(&self, what: What, looked: &'a Looked) -> BTreeSet<&'a Path> {
        let of_kind = |n: &usize| self.0.get(*n).is_some_and(|(it, _)| *it == what);
        let found = looked.found.iter().filter(|(n, _)| of_kind(n));
        found.map(|(_, path)| path.as_path()).collect()
    }

    /// Looks for all of them in every file of a folder.
    pub(super) fn look(&self, folder: &Path) -> io::Result<Looked> {
        let mut looked = Looked::default();
        let index = Index::new(&self.0);
        let mut folders = vec![folder.to_owned()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder)? {
                let path = entry?.path();
                if path.is_dir() {
                    folders.push(path);
                } else {
                    index.look_through(&path, &mut looked)?;
                }
            }
        }
        Ok(looked)
    }
}

/// Needles by their first two bytes.
struct Index<'a> {
    needles: &'a [(What, Vec<u8>)],
    begins: Vec<bool>,
    by_begin: HashMap<[u8; 2], Vec<usize>>,
    longest: usize,
}

impl<'a> Index<'a> {
    fn new(needles: &'a [(What, Vec<u8>)]) -> Self {
        let mut begins = vec![false; 1 << 16];
        let mut by_begin: HashMap<_, Vec<_>> = HashMap::new();
        for (n, (_, bytes)) in needles.iter().enumerate() {
            if let Some(begin) = bytes.first_chunk::<2>() {
                begins[usize::from(u16::from_be_bytes(*begin))] = true;
                by_begin.entry(*begin).or_default().push(n);
            }
        }
        let longest = needles.iter().map(|(_, it)| it.len()).max();
        Self {
            needles,
            begins,
            by_begin,
            longest: longest.unwrap_or_default(),
        }
    }

    fn look_through(&self, path: &Path, looked: &mut Looked) -> io::Result<()> {
        let mut file = match File::open(path) {
            Ok(file) => file,
            // The server works meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(error),
        };
        looked.files += 1;
        let mut buffer = Vec::with_capacity(CHUNK_BYTES + self.longest);
        loop {
            let read = (&mut file)
                .take(CHUNK_BYTES as u64)
                .read_to_end(&mut buffer)?;
            if read == 0 {
                return Ok(());
            }
            looked.bytes += read as u64;
            self.look_at(&buffer, path, looked);
            // What begins at the end of this chunk may go on in the next.
            let keep = buffer.len().saturating_sub(self.longest.saturating_sub(1));
            buffer.drain(..keep);
        }
    }

    fn look_at(&self, bytes: &[u8], path: &Path, looked: &mut Looked) {
        for (at, begin) in bytes.windows(2).enumerate() {
            let begin = [begin[0], begin[1]];
            if !self.begins[usize::from(u16::from_be_bytes(begin))] {
                continue;
            }
            for n in self.by_begin.get(&begin).into_iter().flatten() {
                let here = bytes
                    .get(at..)
                    .is_some_and(|it| it.starts_with(&self.needles[*n].1));
                if here {
                    looked.found.entry(*n).or_insert_with(|| path.to_owned());
                }
            }
        }
    }
}

/// Whether two files have the same bytes.
pub(super) fn same(one: &Path, other: &Path) -> io::Result<bool> {
    let (mut one, mut other) = (File::open(one)?, File::open(other)?);
    let (mut first, mut second) = (Vec::new(), Vec::new());
    loop {
        first.clear();
        second.clear();
        (&mut one)
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut first)?;
        (&mut other)
            .take(CHUNK_BYTES as u64)
            .read_to_end(&mut second)?;
        if first != second {
            return Ok(false);
        }
        if first.is_empty() {
            return Ok(true);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(folder: &Path, name: &str, content: &[u8]) -> PathBuf {
        let path = folder.join(name);
        io::copy(&mut &*content, &mut File::create(&path).unwrap()).unwrap();
        path
    }

    #[test]
    fn what_is_there_is_found_also_across_chunks() {
        let folder = tempfile::tempdir().unwrap();
        let content = b"The quick brown fox jumps over the lazy dog.";
        let mine = write(folder.path(), "mine.txt", content);
        let needles = Needles::of(&[mine]).unwrap();
        assert!(needles.count(What::Content) > 10);
        assert_eq!(needles.count(What::Name), 1);

        let data = tempfile::tempdir().unwrap();
        write(data.path(), "other", &vec![0; 3 * CHUNK_BYTES]);
        let looked = needles.look(data.path()).unwrap();
        assert_eq!((looked.files, looked.bytes), (1, 3 * CHUNK_BYTES as u64));
        assert!(needles.found(What::Content, &looked).is_empty());

        fs::create_dir(data.path().join("deep")).unwrap();
        for shift in [1, 20, 43] {
            let mut bytes = vec![0; CHUNK_BYTES - shift];
            bytes.extend(content);
            let path = write(data.path(), "deep/hidden", &bytes);
            let looked = needles.look(data.path()).unwrap();
            let found = needles.found(What::Content, &looked);
            assert_eq!(found, BTreeSet::from([&*path]), "{shift}");
            assert!(needles.found(What::Name, &looked).is_empty());
            let left = needles.clone().without(&looked);
            assert_eq!(left.count(What::Content), 0);
        }
    }

    #[test]
    fn what_is_like_anything_is_not_looked_for() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            write(folder.path(), "0", b""),
            write(folder.path(), "1", &[0; 10_000]),
            write(folder.path(), "2", b"short"),
        ];
        let needles = Needles::of(&files).unwrap();
        assert_eq!(needles.count(What::Content) + needles.count(What::Name), 0);
    }

    #[test]
    fn files_are_the_same_or_not() {
        let folder = tempfile::tempdir().unwrap();
        let one = write(folder.path(), "1", &vec![7; 2 * CHUNK_BYTES]);
        for (content, expected) in [
            (vec![7; 2 * CHUNK_BYTES], true),
            (vec![7; 2 * CHUNK_BYTES + 1], false),
            (vec![7; CHUNK_BYTES], false),
            (vec![], false),
        ] {
            let other = write(folder.path(), "2", &content);
            assert_eq!(same(&one, &other).unwrap(), expected);
        }
    }
}
