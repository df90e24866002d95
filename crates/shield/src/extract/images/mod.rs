//! What is noted in pictures and recordings.
