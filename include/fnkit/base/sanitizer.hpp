// Whether AddressSanitizer watches this build.
#pragma once

namespace fnkit {

// Free lists stay empty then: memory that goes round in them is never seen as freed, so a use of it
// after its end would pass unnoticed.
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = false;
#endif
#else
inline constexpr bool kAddressSanitizer = false;
#endif

}  // namespace fnkit
