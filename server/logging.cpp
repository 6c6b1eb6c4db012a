#include "server/logging.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <syslog.h>
#include <unistd.h>
#include <vector>

#include "absl/strings/str_cat.h"
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/sinks/syslog_sink.h>
#include <spdlog/spdlog.h>

namespace larder {
namespace {

// Redis's marks: "." debug, "-" verbose, "*" notice, "#" warning.
class LevelMark : public spdlog::custom_flag_formatter {
 public:
  void format(const spdlog::details::log_msg& message, const std::tm& /*time*/,
              spdlog::memory_buf_t& out) override {
    switch (message.level) {
      case spdlog::level::trace:
      case spdlog::level::debug:
        out.push_back('.');
        break;
      case spdlog::level::info:
        out.push_back('-');
        break;
      case spdlog::level::warn:
        out.push_back('*');
        break;
      default:
        out.push_back('#');
    }
  }
  std::unique_ptr<custom_flag_formatter> clone() const override {
    return std::make_unique<LevelMark>();
  }
};

// Redis has four levels between debug and warning; these four of spdlog's stand in for them.
spdlog::level::level_enum ToSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug:
      return spdlog::level::debug;
    case LogLevel::kVerbose:
      return spdlog::level::info;
    case LogLevel::kNotice:
      return spdlog::level::warn;
    case LogLevel::kWarning:
      return spdlog::level::err;
    case LogLevel::kNothing:
      return spdlog::level::off;
  }
  return spdlog::level::warn;
}

int SyslogFacility(const Config& config) {
  constexpr int kLocal[] = {LOG_LOCAL0, LOG_LOCAL1, LOG_LOCAL2, LOG_LOCAL3,
                            LOG_LOCAL4, LOG_LOCAL5, LOG_LOCAL6, LOG_LOCAL7};
  return config.syslog_facility < 0 ? LOG_USER : kLocal[config.syslog_facility];
}

}  // namespace

absl::Status InitLogging(const Config& config) {
  std::vector<spdlog::sink_ptr> sinks;
  if (config.log_file.empty()) {
    sinks.push_back(std::make_shared<spdlog::sinks::stdout_sink_mt>());
  } else {
    // Tried first, for spdlog makes the directories that are missing: a mistyped path would pass.
    const int fd = open(config.log_file.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
      return absl::UnavailableError(
          absl::StrCat("Can't open the log file ", config.log_file, ": ", std::strerror(errno)));
    }
    close(fd);
    // spdlog reports a file that cannot be opened by an exception, and this is its only way.
    try {
      sinks.push_back(std::make_shared<spdlog::sinks::basic_file_sink_mt>(config.log_file));
    } catch (const spdlog::spdlog_ex& error) {
      return absl::UnavailableError(
          absl::StrCat("Can't open the log file ", config.log_file, ": ", error.what()));
    }
  }
  if (config.syslog_enabled) {
    sinks.push_back(std::make_shared<spdlog::sinks::syslog_sink_mt>(config.syslog_ident, LOG_PID,
                                                                    SyslogFacility(config), false));
  }
  auto logger = std::make_shared<spdlog::logger>("larder", sinks.begin(), sinks.end());
  auto formatter = std::make_unique<spdlog::pattern_formatter>();
  formatter->add_flag<LevelMark>('K').set_pattern("%P:M %d %b %Y %H:%M:%S.%e %K %v");
  logger->set_formatter(std::move(formatter));
  logger->flush_on(spdlog::level::trace);
  spdlog::set_default_logger(std::move(logger));
  SetLogLevel(config.log_level);
  return absl::OkStatus();
}

void SetLogLevel(LogLevel level) { spdlog::set_level(ToSpdlog(level)); }

bool LogEnabled(LogLevel level) { return spdlog::should_log(ToSpdlog(level)); }

void Log(LogLevel level, std::string_view message) {
  spdlog::log(ToSpdlog(level), "{}", spdlog::string_view_t(message.data(), message.size()));
}

}  // namespace larder
