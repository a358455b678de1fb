// SPDX-License-Identifier: Apache-2.0
#include "kube/program.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/system/system_error.hpp>
#include <cerrno>
#include <new>
#include <optional>
#include <system_error>
#include <utility>

#include "async/deadline.h"

namespace spotkeeper::kube {
namespace {

namespace asio = boost::asio;
using Descriptor = asio::posix::stream_descriptor;

std::string text_of(int number) {
  return std::generic_category().message(number);
}

// A process that has been started: ended and reaped at the latest with this object.
class Child {
 public:
  explicit Child(const asio::any_io_executor& executor) : output_(executor), ended_(executor) {}
  ~Child() {
    if (pid_ <= 0) return;
    ::kill(leads_group_ ? -pid_ : pid_, SIGKILL);
    reap();
  }
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;

  Result<void> start(const Program& program);
  Task<Result<ProgramEnd>> finish(size_t most_output);

 private:
  // The status of waitpid; 0 when somebody else has reaped it.
  int reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0) {
      if (errno == EINTR) continue;
      status = 0;
      break;
    }
    pid_ = -1;
    return status;
  }

  Task<bool> wait_for_output_or_end();
  bool read_piece(size_t at_most, std::string& into);

  pid_t pid_ = -1;
  bool leads_group_ = false;  // a group of its own: what it has started ends with it
  Descriptor output_;         // the reading end of its stdout
  Descriptor ended_;          // a pidfd: readable when it has ended
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> all;
  all.reserve(texts.size() + 1);
  // not const in the interface; only read
  for (const std::string& text : texts) all.push_back(const_cast<char*>(text.c_str()));
  all.push_back(nullptr);
  return all;
}

// How the child differs from us: descriptors, and signals as they are by default.
struct SpawnSettings {
  SpawnSettings(int output, bool inherits_stdin) {
    if (posix_spawn_file_actions_init(&files) != 0) throw std::bad_alloc();
    if (posix_spawnattr_init(&attributes) != 0) throw std::bad_alloc();
    if (!inherits_stdin) {
      posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    }
    posix_spawn_file_actions_adddup2(&files, output, STDOUT_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
    sigset_t signals;
    sigemptyset(&signals);
    posix_spawnattr_setsigmask(&attributes, &signals);
    sigfillset(&signals);
    posix_spawnattr_setsigdefault(&attributes, &signals);
    // Who may ask at the terminal stays in the group that has it.
    const int group = inherits_stdin ? 0 : POSIX_SPAWN_SETPGROUP;
    posix_spawnattr_setflags(
        &attributes, static_cast<short>(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | group));
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&files);
    posix_spawnattr_destroy(&attributes);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t files{};
  posix_spawnattr_t attributes{};
};

Result<void> Child::start(const Program& program) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return retryable("pipe: " + text_of(errno));
  output_.assign(ends[0]);
  output_.non_blocking(true);
  const SpawnSettings settings(ends[1], program.inherits_stdin);
  const std::vector<char*> argv = pointers(program.argv);
  const std::vector<char*> env = pointers(program.env);
  const int failed = ::posix_spawnp(&pid_, argv[0], &settings.files, &settings.attributes,
                                    argv.data(), env.data());
  ::close(ends[1]);
  if (failed != 0) {
    pid_ = -1;
    const bool none = failed == ENOENT;
    return std::unexpected(Error{.message = none ? "was not found" : text_of(failed),
                                 .reason = none ? "NotFound" : ""});
  }
  leads_group_ = !program.inherits_stdin;
  const long handle = ::syscall(SYS_pidfd_open, pid_, 0);
  if (handle < 0) return permanent("pidfd_open: " + text_of(errno) + " (Linux 5.3 has it)");
  ended_.assign(static_cast<int>(handle));
  return {};
}

// Whether it has ended.
Task<bool> Child::wait_for_output_or_end() {
  const auto [order, no_output, not_ended] =
      co_await asio::experimental::make_parallel_group(
          output_.async_wait(Descriptor::wait_read, asio::deferred),
          ended_.async_wait(Descriptor::wait_read, asio::deferred))
          .async_wait(asio::experimental::wait_for_one(), asio::use_awaitable);
  if (no_output && not_ended) throw boost::system::system_error(not_ended);  // cancelled
  co_return !not_ended;
}

// Appends what is there already, without waiting; false at the end of the output.
bool Child::read_piece(size_t at_most, std::string& into) {
  std::array<char, 4096> piece;
  boost::system::error_code error;
  const size_t size =
      output_.read_some(asio::buffer(piece, std::min(at_most, piece.size())), error);
  into.append(piece.data(), size);
  return !error || error == asio::error::would_block;
}

// Whoever it has started may outlive it and hold its stdout open, or go on printing: its own end
// counts, and of the output what was in the pipe by then.
Task<Result<ProgramEnd>> Child::finish(size_t most_output) {
  ProgramEnd end;
  std::string& output = end.output;
  bool more = true;
  bool ended = false;
  while (more && !ended && output.size() <= most_output) {
    ended = co_await wait_for_output_or_end();
    if (!ended) more = read_piece(most_output + 1, output);
  }
  if (ended) {
    Descriptor::bytes_readable left;
    output_.io_control(left);
    const size_t whole = std::min(output.size() + left.get(), most_output + 1);
    while (more && output.size() < whole) more = read_piece(whole - output.size(), output);
  }
  if (output.size() > most_output) {
    co_return retryable("printed more than " + std::to_string(most_output) + " bytes");
  }
  if (!ended) co_await ended_.async_wait(Descriptor::wait_read, asio::use_awaitable);
  const int status = reap();
  end.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  end.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  co_return end;
}

}  // namespace

Task<Result<ProgramEnd>> run_program(Program program, size_t most_output, Millis at_most) {
  Child child(co_await asio::this_coro::executor);
  if (const Result<void> started = child.start(program); !started) {
    co_return std::unexpected(started.error());
  }
  std::optional<Result<ProgramEnd>> end =
      co_await finish_within(at_most, child.finish(most_output));
  if (!end) co_return retryable("did not end within " + format_duration(at_most));
  co_return std::move(*end);
}

}  // namespace spotkeeper::kube
