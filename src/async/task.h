// SPDX-License-Identifier: Apache-2.0
// Task<T>: a coroutine on the program's one event loop. Errors of the outside world are returned as
// Result; an exception out of a task is a bug or a cancellation.
#pragma once

#include <boost/asio/awaitable.hpp>

namespace spotkeeper {

template <class T = void>
using Task = boost::asio::awaitable<T>;

}  // namespace spotkeeper
