//! Other implementations, which are in Python.

use std::{
    env,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use serde_json::Value;

/// A script in a process of its own, which answers line by line; ends when its input does.
pub(crate) struct Python {
    process: Child,
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Python {
    pub(crate) fn start(script: &str, role: &str) -> Self {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let python = env::var_os("AGENTDROP_TEST_PYTHON")
            .map_or_else(|| here.join("../../.venv/bin/python"), PathBuf::from);
        let mut process = Command::new(&python)
            .arg(here.join("tests/it").join(script))
            .arg(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("{}: {error}. {HINT}", python.display()));
        let questions = process.stdin.take();
        let answers = BufReader::new(process.stdout.take().unwrap());
        Self {
            process,
            questions,
            answers,
        }
    }

    pub(crate) fn ask(&mut self, question: &Value) -> Value {
        let mut answer = String::new();
        let asked = writeln!(self.questions.as_mut().unwrap(), "{question}");
        self.answers.read_line(&mut answer).unwrap();
        assert!(
            asked.is_ok() && !answer.is_empty(),
            "the other side stopped. {HINT}"
        );
        serde_json::from_str(&answer).unwrap()
    }
}

impl Drop for Python {
    fn drop(&mut self) {
        drop(self.questions.take());
        let ended = self.process.wait();
        assert!(std::thread::panicking() || ended.is_ok_and(|status| status.success()));
    }
}

const HINT: &str = "If something is not installed, run scripts/setup, or set AGENTDROP_TEST_PYTHON to a Python that has what scripts/requirements.txt names";
