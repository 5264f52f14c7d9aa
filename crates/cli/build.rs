//! Compiles the allocator's one setting into the binary.

use std::env;

fn main() {
    println!("cargo:rerun-if-changed=allocator/purge.c");
    let headers = env::var("DEP_MIMALLOC_INCLUDE_DIR").expect("libmimalloc-sys says where its headers are");
    let objects = cc::Build::new().include(headers).file("allocator/purge.c").compile_intermediates();
    for object in objects {
        // As an object and not a library: nothing calls the constructor by name, a linker would leave it out.
        println!("cargo:rustc-link-arg-bins={}", object.display());
    }
}
