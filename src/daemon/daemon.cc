#include "daemon/daemon.h"

#include <fmt/format.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "cim/schema.h"
#include "cli/exit_code.h"
#include "client/disk_copier.h"
#include "client/make_operations.h"
#include "daemon/authentication.h"
#include "daemon/cimxml_handler.h"
#include "daemon/command_server.h"
#include "daemon/counting_store.h"
#include "daemon/export_folders.h"
#include "daemon/listeners.h"
#include "daemon/router.h"
#include "daemon/service_manager.h"
#include "daemon/signals.h"
#include "daemon/status_handler.h"
#include "daemon/watchdog.h"
#include "daemon/wsman_handler.h"
#include "hypervisor/libvirt_hypervisor.h"
#include "provider/broker.h"
#include "provider/collection_providers.h"
#include "provider/machine_providers.h"
#include "service/background_jobs.h"
#include "store/sqlite_store.h"

namespace cohort::daemon {
namespace {

constexpr std::chrono::seconds kPatience{10};  // of the listeners' end

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "localhost";
}

// Each connection takes one, and who starts the daemon by hand mostly has 1,024. As many as its unit says.
void take_descriptors() {
  constexpr rlim_t kWanted = 65536;
  struct rlimit limit {};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= kWanted) return;
  limit.rlim_cur = std::min(kWanted, limit.rlim_max);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace

class Daemon::Impl {
 public:
  Impl(const Configuration& configuration, Log& log) : configuration_(configuration), log_(log) {}

  [[nodiscard]] Result<void> start(PassedSockets sockets) {
    take_descriptors();
    // First, as long as there are no other threads.
    if (configuration_.negotiate.kerberos || configuration_.negotiate.ntlm) {
      COHORT_ASSIGN(auto provider, http::open_gss(configuration_.negotiate, clock_));
      authentication_.offer(std::move(provider));
    }
    if (!configuration_.pam.empty()) authentication_.ask_pam(configuration_.pam);
    COHORT_TRY(open());
    COHORT_TRY(serve(std::move(sockets)));
    return {};
  }

  [[nodiscard]] bool is_alive(std::chrono::milliseconds patience) const { return listeners_.are_alive(patience); }

  void reload() {
    bool is_whole = true;
    for (const auto& outcome : {authentication_.reload(), reload_rights(), listeners_.reload_certificates()}) {
      if (outcome) continue;
      is_whole = false;
      log_.write(Event::kReloadFailed, outcome.error().describe());
    }
    if (is_whole) log_.write(Event::kReloaded, "Certificate, users and rights were read again.");
  }

  void stop() {
    listeners_.stop(kPatience);
    commands_->request_stop();
    background_->stop();
    commands_->stop();
  }

 private:
  // One caller has a quarter of the questions that may be late, and all workers may ask more for the same one
  // meanwhile.
  [[nodiscard]] CimServer::Limits operations() const {
    constexpr std::size_t kLateOfWorker = 8;
    CimServer::Limits limits = configuration_.operations;
    limits.late_questions = std::max(limits.late_questions, kLateOfWorker * configuration_.http_limits.workers);
    return limits;
  }

  // The state with its lock and the operations over it.
  [[nodiscard]] Result<void> open() {
    const std::string& uri = configuration_.uri;
    COHORT_ASSIGN(auto opened, store::open_sqlite_store(configuration_.state, store::Access::kWrite, uri));
    store_ = std::make_unique<CountingStore>(std::move(opened), metrics_);
    COHORT_ASSIGN(hypervisor_, hypervisor::open_libvirt(uri));
    operations_ = client::make_operations(uri, *store_, *hypervisor_, copier_, clock_);
    COHORT_ASSIGN(const auto recovered, client::recover_all(*store_, *operations_, clock_));
    for (const std::string& each : recovered.actions) log_.write(Event::kRecovered, each);
    for (const std::string& each : recovered.failures) log_.write(Event::kRecoveryIncomplete, each);
    background_ = std::make_unique<service::BackgroundJobs>(operations_->engine);
    return {};
  }

  // What answers requests, and where they are taken.
  [[nodiscard]] Result<void> serve(PassedSockets sockets) {
    COHORT_ASSIGN(auto schema, cim::Schema::built_in());
    schema_ = std::move(schema);
    COHORT_ASSIGN(exports_, ExportFolders::open(configuration_.export_roots));
    COHORT_TRY(authentication_.reload());
    add_providers();
    server_ = std::make_unique<CimServer>(*broker_, rights_, metrics_, log_, operations());
    wsman_ = std::make_unique<WsmanHandler>(*server_, schema_);
    cimxml_ = std::make_unique<CimXmlHandler>(*server_, schema_, host_name());
    router_ = std::make_unique<Router>(*wsman_, *cimxml_);
    const client::SharedParts parts{configuration_.uri, *store_, *hypervisor_, *operations_};
    COHORT_ASSIGN(commands_, CommandServer::start(configuration_.state, parts, log_, std::move(sockets.command)));
    return listeners_.start(configuration_, {authentication_, *router_, everybody_, status_}, std::move(sockets), log_);
  }

  void add_providers() {
    broker_ =
        std::make_unique<provider::Broker>(schema_, host_name(), clock_, configuration_.enumerations, store_.get());
    const auto tell = [&log = log_](const provider::MethodCall& call, const Error& why) {
      log.write(Event::kMethodRefused, fmt::format("{}: {}", call.method, why.describe()),
                {{"user", call.caller.name}, {"method", call.method}});
    };
    const provider::ServiceSurroundings surroundings{host_name(), tell};
    provider::add_collection_providers(*broker_, {*operations_, *background_, *store_, exports_, clock_, surroundings});
    provider::add_machine_providers(
        *broker_, {schema_, *hypervisor_, *store_, clock_, [] { return provider::read_host_facts(); }, surroundings});
  }

  // Of the configuration, only these change while the program runs.
  [[nodiscard]] Result<void> reload_rights() {
    if (configuration_.file.empty()) return {};
    COHORT_ASSIGN(auto read, read_configuration(configuration_.file));
    rights_.replace(std::move(read.grants));
    return {};
  }

  [[nodiscard]] std::optional<std::string> trouble() {
    if (!store_->collections()) return "The state cannot be read.";
    if (const auto late = server_->late(); late > 0) {
      return fmt::format("{} questions were not answered in time: libvirt may hang.", late);
    }
    return std::nullopt;
  }

  const Configuration configuration_;
  Log& log_;
  const SystemClock clock_;
  Metrics metrics_;

  // In the order in which they stand on each other.
  client::ImageCopier copier_;
  std::unique_ptr<service::StateStore> store_;
  std::unique_ptr<service::Hypervisor> hypervisor_;
  std::unique_ptr<service::Operations> operations_;
  std::unique_ptr<service::BackgroundJobs> background_;

  std::unique_ptr<CommandServer> commands_;

  cim::Schema schema_;
  ExportFolders exports_;
  Authentication authentication_{configuration_.passwords, configuration_.lockout, clock_, metrics_, log_};
  Rights rights_{configuration_.grants};
  std::unique_ptr<provider::Broker> broker_;
  std::unique_ptr<CimServer> server_;
  std::unique_ptr<WsmanHandler> wsman_;
  std::unique_ptr<CimXmlHandler> cimxml_;
  std::unique_ptr<Router> router_;
  OpenDoor everybody_;
  StatusHandler status_{metrics_, [this] { metrics_.set_connections(listeners_.connections()); },
                        [this] { return trouble(); }};
  Listeners listeners_;
};

Daemon::Daemon(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Daemon::~Daemon() = default;

Result<std::unique_ptr<Daemon>> Daemon::start(const Configuration& configuration, PassedSockets sockets, Log& log) {
  auto impl = std::make_unique<Impl>(configuration, log);
  COHORT_TRY(impl->start(std::move(sockets)));
  return std::unique_ptr<Daemon>(new Daemon(std::move(impl)));
}

bool Daemon::is_alive(std::chrono::milliseconds patience) const { return impl_->is_alive(patience); }
void Daemon::reload() { impl_->reload(); }
void Daemon::stop() { impl_->stop(); }

namespace {

// Until it is told to stop.
void follow_orders(Daemon& daemon, const Signals& signals, Log& log) {
  const Watchdog watchdog(watchdog_interval(), [&daemon](auto patience) { return daemon.is_alive(patience); });
  while (true) {
    if (!watchdog.look()) log.write(Event::kStuck, "A thread that takes requests does nothing.");
    const auto order = signals.next(watchdog.interval());
    if (order == Order::kStop) return;
    if (order == Order::kReload) {
      tell_service_manager(Life::kReloading, "Reading certificate, users and rights again.");
      daemon.reload();
      tell_service_manager(Life::kReady, "Answering requests.");
    }
  }
}

int failed(const Error& error, Log& log) {
  log.write(Event::kFailed, error.describe());
  return cli::exit_code(error.code);
}

}  // namespace

int run_daemon(const Configuration& configuration, Log& log) {
  const auto signals = Signals::take();
  if (!signals) return failed(signals.error(), log);
  auto sockets = PassedSockets::take();
  if (!sockets) return failed(sockets.error(), log);
  auto daemon = Daemon::start(configuration, *std::move(sockets), log);
  if (!daemon) return failed(daemon.error(), log);
  log.write(Event::kStarted, fmt::format("cohortd {} answers requests.", COHORT_VERSION));
  tell_service_manager(Life::kReady, "Answering requests.");
  follow_orders(**daemon, *signals, log);
  log.write(Event::kStopping, "Told to end.");
  tell_service_manager(Life::kStopping, "Answering what was asked, cancelling jobs.");
  (*daemon)->stop();
  daemon->reset();
  log.write(Event::kStopped, "All has ended.");
  return cli::kExitDone;
}

}  // namespace cohort::daemon
