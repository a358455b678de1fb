// SPDX-License-Identifier: Apache-2.0
// A notice in NTH's words, by which its users filter webhooks, logs, metrics and events. Pure.
#pragma once

#include <string>

#include "core/notice.h"

namespace spotkeeper::tell {

const char* nth_kind(core::NoticeKind kind);      // "SPOT_ITN"
const char* nth_monitor(core::NoticeKind kind);   // "SPOT_ITN_MONITOR"
const char* event_reason(core::NoticeKind kind);  // "SpotInterruption"

// "Spot ITN received. Instance will be interrupted at …": NTH's sentence without its line end.
std::string description(const core::Notice& notice);

// When it begins: for an interruption its deadline, for what is to be drained at once when it was
// heard.
Time start_of(const core::Notice& notice);

}  // namespace spotkeeper::tell
