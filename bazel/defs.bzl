"""House rules for C targets: one set of warnings, private by default, tests that mirror the tree."""

COPTS = [
    "-std=c17",
    "-D_GNU_SOURCE",
    "-Wall",
    "-Wextra",
    "-Wshadow",
    "-Wconversion",
    "-Wstrict-prototypes",
    "-Wmissing-prototypes",
    "-Wvla",
    "-Wformat=2",
    "-Wno-format-nonliteral",
    "-Werror",
    "-fno-omit-frame-pointer",
    "-pthread",
]

# Only gcc has levels of this one; clang builds the fuzz targets.
GCC_COPTS = select({
    "//bazel/config:fuzz": ["-Wimplicit-fallthrough"],
    "//conditions:default": ["-Wimplicit-fallthrough=5"],
})

GENERATED_COPTS = [
    "-std=c17",
    "-D_GNU_SOURCE",
    "-w",
    "-fno-omit-frame-pointer",
]

def gantry_library(name, copts = [], **kwargs):
    native.cc_library(
        name = name,
        copts = COPTS + GCC_COPTS + copts,
        linkopts = ["-pthread"],
        **kwargs
    )

def gantry_binary(name, copts = [], linkopts = [], **kwargs):
    native.cc_binary(
        name = name,
        copts = COPTS + GCC_COPTS + copts,
        linkopts = ["-pthread"] + linkopts,
        **kwargs
    )

def gantry_test(name, srcs, deps = [], copts = [], linkopts = [], size = "small", **kwargs):
    """One cmocka binary. Every test also runs under asan+ubsan in `./dev test`, unless tagged no-asan; those of threads
    under tsan, unless tagged no-tsan."""
    native.cc_test(
        name = name,
        srcs = srcs,
        size = size,
        copts = COPTS + GCC_COPTS + ["-Wno-missing-prototypes"] + copts,
        linkopts = ["-pthread"] + linkopts,
        deps = deps + ["//tests/unit", "//bazel/third_party:cmocka"],
        **kwargs
    )

def gantry_fuzz(name, srcs, corpus = [], deps = [], **kwargs):
    """A fuzz target (LLVMFuzzerTestOneInput) and `<name>`, a test that replays its corpus under gcc."""
    native.cc_library(
        name = name + "_target",
        srcs = srcs,
        copts = COPTS + GCC_COPTS + ["-Wno-missing-prototypes"],
        deps = deps,
        alwayslink = True,
        testonly = True,
    )
    native.cc_test(
        name = name,
        size = "small",
        srcs = ["//tests/fuzz:replay.c"],
        copts = COPTS + GCC_COPTS + ["-Wno-missing-prototypes"],
        linkopts = ["-pthread"],
        args = ["$(locations %s)" % c for c in corpus],
        data = corpus,
        deps = [":" + name + "_target"],
        tags = ["fuzz"],
        **kwargs
    )
    native.cc_binary(
        name = name + "_fuzzer",
        testonly = True,
        linkopts = ["-fsanitize=fuzzer", "-pthread"],
        tags = ["manual"],
        deps = [":" + name + "_target"],
    )

def protobuf_c_library(name, protos, deps = [], import_prefix = None, **kwargs):
    """protobuf-c structs and codecs for .proto files of this package. Headers are "<package>/<file>.pb-c.h"."""
    for p in protos:
        base = p[:-len(".proto")]
        native.genrule(
            name = base + "_pb_c",
            srcs = protos,
            outs = [base + ".pb-c.c", base + ".pb-c.h"],
            cmd = "protoc-c -I. --c_out=$(GENDIR) $(location %s)" % p,
        )
    native.cc_library(
        name = name,
        srcs = [p[:-len(".proto")] + ".pb-c.c" for p in protos],
        hdrs = [p[:-len(".proto")] + ".pb-c.h" for p in protos],
        copts = GENERATED_COPTS,
        deps = deps + ["//bazel/third_party:protobuf_c"],
        **kwargs
    )

def schema_library(name, protos, deps = [], **kwargs):
    """struct schema tables (api/schema/schema.h) for the messages of .proto files: "<package>/<name>.h"."""
    native.genrule(
        name = name + "_gen",
        srcs = protos,
        outs = [name + ".set", name + ".h", name + ".c"],
        cmd = ("protoc -I. --include_imports --include_source_info " +
               "--descriptor_set_out=$(location %s.set) $(SRCS) && " % name +
               "$(location //bazel/tools:schemagen) $(location %s.set) $(location %s.h) $(location %s.c) %s/%s.h" %
               (name, name, name, native.package_name(), name)),
        tools = ["//bazel/tools:schemagen"],
    )
    native.cc_library(
        name = name,
        srcs = [name + ".c"],
        hdrs = [name + ".h"],
        copts = GENERATED_COPTS,
        deps = deps,
        **kwargs
    )
