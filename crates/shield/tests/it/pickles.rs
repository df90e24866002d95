//! Objects of Python.

use agentdrop_shield::ThreatLevel::{Critical, Low, Medium};

use crate::looked::{assert_at_most, assert_finds, look};

/// `\x8c` and a length before a text, as protocol 4 writes it.
fn text(it: &str) -> Vec<u8> {
    [&[0x8C, it.len() as u8], it.as_bytes()].concat()
}

/// Protocol 4: a name, its arguments, a call.
fn calling(module: &str, name: &str, argument: &str) -> Vec<u8> {
    let parts = [
        b"\x80\x04\x95\x20\0\0\0\0\0\0\0".to_vec(),
        text(module),
        b"\x94".to_vec(),
        text(name),
        b"\x94\x93\x94".to_vec(),
        text(argument),
        b"\x94\x85\x94R\x94.".to_vec(),
    ];
    parts.concat()
}

#[test]
fn an_object_that_runs_a_command_is_found_in_every_protocol() {
    let cases: [&[u8]; 8] = [
        b"cos\nsystem\n(S'id'\ntR.",
        b"cposix\nsystem\np0\n(Vid\np1\ntp2\nRp3\n.",
        b"(S'id'\nios\nsystem\n.",
        b"(lp0\ncbuiltins\neval\n(S'1'\ntR.",
        b"\x80\x02cposix\nsystem\nq\0X\x02\0\0\0idq\x01\x85q\x02Rq\x03.",
        // The names lie in the memo before they are put together.
        b"\x80\x04\x8c\x05posix\x94\x8c\x06system\x94000h\0h\x01\x93\x8c\x02id\x85R.",
        // It breaks off behind the call, which was made by then.
        b"\x80\x02cposix\nsystem\nX\x02\0\0\0id\x85R\xFF\xFF",
        b"\x80\x04\x8c\x08builtins\x8c\x04exec\x93\x8c\x04pass\x85R.",
    ];
    for bytes in cases {
        for name in ["model.pkl", "data", "notes.txt"] {
            assert_finds(name, bytes, "pickle/runs", Critical);
        }
    }
    for (module, name) in [
        ("subprocess", "Popen"),
        ("runpy", "run_path"),
        ("torch", "load"),
        ("pip", "main"),
    ] {
        assert_finds(
            "m.bin",
            &calling(module, name, "x"),
            "pickle/runs",
            Critical,
        );
    }
    // Two behind each other: the first is harmless.
    let two = [b"\x80\x04K\x01.".to_vec(), calling("os", "system", "id")].concat();
    assert_finds("m.pkl", &two, "pickle/runs", Critical);
}

#[test]
fn an_array_of_objects_is_looked_into() {
    let header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }\n";
    let mut bytes = b"\x93NUMPY\x01\0".to_vec();
    bytes.extend((header.len() as u16).to_le_bytes());
    bytes.extend(header);
    bytes.extend(calling("os", "system", "id"));
    assert_finds("a.npy", &bytes, "pickle/runs", Critical);
}

#[test]
fn climbing_out_by_names_is_found() {
    let climbing = b"\x80\x04cbuiltins\ngetattr\n\x8c\x01x\x8c\x06system\x86R.";
    assert_finds("a.pkl", climbing, "pickle/runs", Critical);
    assert_finds(
        "a.pkl",
        &calling("builtins", "getattr", "shape"),
        "pickle/reaches",
        Medium,
    );
}

#[test]
fn objects_that_are_only_data_pass() {
    let ordinary = [
        calling("collections", "OrderedDict", "x"),
        calling("numpy.core.multiarray", "_reconstruct", "x"),
        calling("torch._utils", "_rebuild_tensor_v2", "x"),
        calling("sklearn.linear_model._base", "LinearRegression", "x"),
        calling("my.own", "Thing", "system"),
        b"\x80\x03]q\0(K\x01K\x02e.".to_vec(),
        b"(dp0\nS'a'\np1\nI1\ns.".to_vec(),
    ];
    for bytes in ordinary {
        assert_at_most("a.pkl", &bytes, Low);
    }
    for text in [
        "class A:\n    pass\n",
        "import os\nos.system\n",
        "(a list)\n",
        "close\nsystem\n",
    ] {
        assert!(look("a.txt", text.as_bytes()).findings.is_empty());
    }
}

#[test]
fn an_object_that_breaks_off_anywhere_ends_the_look() {
    let whole = calling("os", "system", "id");
    for end in 0..whole.len() {
        look("a.pkl", &whole[..end]);
    }
    look(
        "a.pkl",
        &[b"\x80\x04".to_vec(), vec![b'('; 1 << 20]].concat(),
    );
    look("a.pkl", b"\x80\x04\x8d\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFFx");
}
