# One INTERFACE target carries what every translation unit must be built with. The BOOST_ASIO_*
# macros live here and nowhere else: two units that differ in them crash.
add_library(spotkeeper_flags INTERFACE)
target_compile_options(spotkeeper_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Wno-missing-designated-field-initializers
  -Wimplicit-fallthrough -Werror -fstack-protector-strong -ffunction-sections -fdata-sections
  $<$<CONFIG:Release>:-D_FORTIFY_SOURCE=2>)
target_compile_definitions(spotkeeper_flags INTERFACE
  BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_DISABLE_BOOST_ARRAY
  BOOST_ASIO_HAS_STD_INVOKE_RESULT BOOST_BEAST_USE_STD_STRING_VIEW FMT_HEADER_ONLY
  SPOTKEEPER_VERSION="${PROJECT_VERSION}")
target_include_directories(spotkeeper_flags INTERFACE ${PROJECT_SOURCE_DIR}/src)
target_link_options(spotkeeper_flags INTERFACE -fuse-ld=lld -Wl,--gc-sections)

if(SPOTKEEPER_SANITIZE)
  set(sanitizers -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_compile_options(spotkeeper_flags INTERFACE ${sanitizers})
  target_link_options(spotkeeper_flags INTERFACE ${sanitizers})
  if(SPOTKEEPER_COVERAGE)
    target_compile_options(spotkeeper_flags INTERFACE -fsanitize=fuzzer-no-link)
  endif()
elseif(SPOTKEEPER_STATIC)
  # icf: equal functions once. relr: of 27,000 relocations a bit each remains.
  target_link_options(spotkeeper_flags INTERFACE -static-pie -Wl,--icf=safe,--pack-dyn-relocs=relr)
endif()
