//! The Amazon States Language: definitions, checking, paths, intrinsic functions.
