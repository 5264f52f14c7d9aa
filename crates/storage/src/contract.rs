//! The contract that every driver passes.
