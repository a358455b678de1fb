# Cross-compiling for linux/arm64: clang-19 and a sysroot of Debian's arm64 packages beside the system, with curl and
# prometheus-cpp in it (tools/setup image; tools/setup.d/arm64.sh). Tests run under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
if(DEFINED ENV{SPOTKEEPER_SYSROOT})
  set(CMAKE_SYSROOT "$ENV{SPOTKEEPER_SYSROOT}")
elseif(DEFINED ENV{SPOTKEEPER_CACHE})
  set(CMAKE_SYSROOT "$ENV{SPOTKEEPER_CACHE}/sysroot-arm64/current")
else()
  set(CMAKE_SYSROOT "$ENV{HOME}/.cache/spotkeeper/sysroot-arm64/current")
endif()
set(SPOTKEEPER_DEPS "${CMAKE_SYSROOT}/opt/spotkeeper" CACHE PATH "prefix of the pinned static libraries")

set(CMAKE_C_COMPILER clang-19)
set(CMAKE_CXX_COMPILER clang++-19)
set(CMAKE_C_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_CXX_COMPILER_TARGET aarch64-linux-gnu)
set(CMAKE_LIBRARY_ARCHITECTURE aarch64-linux-gnu)
# The folder of whoever builds must not be in what is built: Boost names its headers when it throws.
set(CMAKE_CXX_FLAGS_INIT "-ffile-prefix-map=${CMAKE_SYSROOT}=")
# Probes too: the sysroot has no shared libraries.
set(CMAKE_EXE_LINKER_FLAGS_INIT "-fuse-ld=lld-19 -static-pie")
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
set(CMAKE_CROSSCOMPILING_EMULATOR qemu-aarch64-static)
