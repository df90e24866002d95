#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| agentdrop_fuzz::scanned::any(data));
