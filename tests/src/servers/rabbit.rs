//! RabbitMQ.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::{START_PATIENCE, STOP_PATIENCE, fresh_name};
use crate::daemon::{Daemon, free_port, is_open, run, signal_pid};
use crate::wait::wait_until;

/// The program itself; the one in `PATH` changes the user and the folder.
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

/// Its tool for operators, beside it.
const CONTROL: &str = "/usr/lib/rabbitmq/bin/rabbitmqctl";

/// The user and the password of every node here.
const USER: &str = "test";

/// A private node with its own port mapper, in one folder.
#[derive(Debug)]
pub struct Rabbit {
    folder: PathBuf,
    ports: Ports,
    server: Daemon,
    /// Node names are found through it. Started by us: the one that a node starts would outlive it.
    port_mapper: Daemon,
}

/// How to reach a RabbitMQ.
#[derive(Clone, Debug)]
pub struct RabbitAccess {
    /// The address of its default virtual host.
    pub url: String,
    /// The address of its management API, with user and password.
    pub api: String,
}

#[derive(Clone, Copy, Debug)]
struct Ports {
    amqp: u16,
    management: u16,
    distribution: u16,
    mapper: u16,
}

impl Rabbit {
    /// Makes a node in this folder and starts it.
    pub fn start(folder: &Path) -> Rabbit {
        let mut rabbit = Rabbit::begin(folder);
        rabbit.wait_until_ready();
        rabbit
    }

    fn begin(folder: &Path) -> Rabbit {
        let [amqp, management, distribution, mapper] = std::array::from_fn(|_| free_port());
        let ports = Ports { amqp, management, distribution, mapper };
        write_settings(folder, ports).expect("the settings of RabbitMQ can be written");
        let mut command = Command::new("epmd");
        command.args(["-address", "127.0.0.1", "-port", &mapper.to_string()]);
        let mut port_mapper = Daemon::start("epmd", &mut command, &folder.join("epmd.log"));
        port_mapper.wait_until_ready(START_PATIENCE, || is_open(mapper));
        Rabbit { folder: folder.to_owned(), ports, server: launch(folder, ports), port_mapper }
    }

    /// The address of its default virtual host.
    pub fn url(&self) -> String {
        format!("amqp://{USER}:{USER}@127.0.0.1:{}/%2f", self.ports.amqp)
    }

    /// How to reach it.
    pub fn access(&self) -> RabbitAccess {
        let api = format!("http://{USER}:{USER}@127.0.0.1:{}/api", self.ports.management);
        RabbitAccess { url: self.url(), api }
    }

    /// Its AMQP port.
    pub fn port(&self) -> u16 {
        self.ports.amqp
    }

    /// `kill -9` of the node.
    pub fn kill9(&mut self) {
        if let Some(pid) = self.node_pid() {
            signal_pid(pid, Signal::KILL);
            let running = PathBuf::from(format!("/proc/{pid}/exe"));
            // A killed node is gone once its memory is, even while nobody has reaped it.
            wait_until("RabbitMQ is dead", STOP_PATIENCE, || fs::read_link(&running).is_err());
        }
        self.server.kill9();
    }

    /// Starts it again on its ports and data; a running one is stopped before.
    pub fn restart(&mut self) {
        self.stop_node();
        self.server = launch(&self.folder, self.ports);
        self.wait_until_ready();
    }

    /// Runs `rabbitmqctl` on it. Takes seconds: what the management API can do too is done there.
    pub fn control(&self, args: &[&str]) -> String {
        run(command(CONTROL, &self.folder, self.ports).arg("-q").args(args))
    }

    /// The end of what it said.
    pub fn log_tail(&self) -> String {
        self.server.log_tail()
    }

    fn stop_node(&mut self) {
        if let Some(pid) = self.node_pid()
            && self.server.is_running()
        {
            signal_pid(pid, Signal::TERM);
            let _ = self.server.wait_for_end(STOP_PATIENCE);
        }
        self.kill9();
        // A node that starts writes it anew; until then there is none.
        let _ = fs::remove_file(self.folder.join("pid"));
    }

    fn wait_until_ready(&mut self) {
        // The AMQP port is opened last: whoever gets in there finds everything running.
        let ports = self.ports;
        self.server.wait_until_ready(START_PATIENCE, || is_open(ports.amqp) && is_open(ports.management));
    }

    fn node_pid(&self) -> Option<u32> {
        fs::read_to_string(self.folder.join("pid")).ok()?.trim().parse().ok()
    }
}

impl Drop for Rabbit {
    fn drop(&mut self) {
        self.stop_node();
        self.port_mapper.kill9();
    }
}

impl RabbitAccess {
    /// A new virtual host; its address.
    pub fn fresh_vhost(&self) -> String {
        let name = fresh_name("test");
        self.put(&format!("vhosts/{name}"), "{}");
        self.put(&format!("permissions/{name}/{USER}"), r#"{"configure":".*","write":".*","read":".*"}"#);
        let (server, _) = self.url.rsplit_once('/').expect("the address ends with a virtual host");
        format!("{server}/{name}")
    }

    /// Sends a request with a body to the management API.
    pub fn put(&self, path: &str, body: &str) {
        let (address, login) = self.address_and_login(path);
        let request =
            ureq::put(&address).header("authorization", &login).header("content-type", "application/json");
        request.send(body).unwrap_or_else(|error| panic!("RabbitMQ refused PUT {path}: {error}"));
    }

    /// Asks the management API.
    pub fn get(&self, path: &str) -> serde_json::Value {
        let (address, login) = self.address_and_login(path);
        let mut answer = ureq::get(&address)
            .header("authorization", &login)
            .call()
            .unwrap_or_else(|error| panic!("RabbitMQ refused GET {path}: {error}"));
        answer.body_mut().read_json().expect("RabbitMQ answers with JSON")
    }

    /// Deletes by the management API: a queue, a connection.
    pub fn delete(&self, path: &str) {
        let (address, login) = self.address_and_login(path);
        ureq::delete(&address)
            .header("authorization", &login)
            .call()
            .unwrap_or_else(|error| panic!("RabbitMQ refused DELETE {path}: {error}"));
    }

    fn address_and_login(&self, path: &str) -> (String, String) {
        let api = self.api.replace(&format!("{USER}:{USER}@"), "");
        // `test:test`; the harness knows no other login.
        (format!("{api}/{path}"), "Basic dGVzdDp0ZXN0".to_owned())
    }
}

fn write_settings(folder: &Path, ports: Ports) -> std::io::Result<()> {
    for name in ["log", "mnesia", "home"] {
        fs::create_dir_all(folder.join(name))?;
    }
    let cookie = folder.join("home/.erlang.cookie");
    fs::write(&cookie, uuid::Uuid::new_v4().simple().to_string())?;
    // The node refuses a cookie that others may read.
    fs::set_permissions(&cookie, fs::Permissions::from_mode(0o400))?;
    fs::write(folder.join("enabled_plugins"), "[rabbitmq_management].\n")?;
    let Ports { amqp, management, .. } = ports;
    let settings = format!(
        "listeners.tcp.default = 127.0.0.1:{amqp}\n\
         management.tcp.ip = 127.0.0.1\n\
         management.tcp.port = {management}\n\
         loopback_users = none\n\
         default_user = {USER}\n\
         default_pass = {USER}\n\
         vm_memory_high_watermark.absolute = 1GiB\n\
         disk_free_limit.absolute = 200MB\n\
         log.console = false\n"
    );
    fs::write(folder.join("rabbitmq.conf"), settings)
}

fn launch(folder: &Path, ports: Ports) -> Daemon {
    let mut command = command(SERVER, folder, ports);
    command
        .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
        .env("RABBITMQ_NODE_PORT", ports.amqp.to_string())
        .env("RABBITMQ_DIST_PORT", ports.distribution.to_string())
        .env("RABBITMQ_MNESIA_BASE", folder.join("mnesia"))
        .env("RABBITMQ_LOG_BASE", folder.join("log"))
        .env("RABBITMQ_SCHEMA_DIR", folder.join("schema"))
        .env("RABBITMQ_GENERATED_CONFIG_DIR", folder.join("gen"))
        .env("RABBITMQ_CONFIG_FILE", folder.join("rabbitmq.conf"))
        .env("RABBITMQ_ADVANCED_CONFIG_FILE", folder.join("advanced.config"))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", folder.join("enabled_plugins"))
        .env("RABBITMQ_PID_FILE", folder.join("pid"))
        .env(
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS",
            "-kernel inet_dist_use_interface {127,0,0,1} +S 2:2 +sbwt none +sbwtdcpu none +sbwtdio none",
        );
    Daemon::start("RabbitMQ", &mut command, &folder.join("console.log"))
}

/// A program of RabbitMQ that finds this node.
fn command(program: &str, folder: &Path, ports: Ports) -> Command {
    let mut command = Command::new(program);
    command
        .env_remove("RABBITMQ_PLUGINS_DIR")
        .env("HOME", folder.join("home"))
        .env("LC_ALL", "C.UTF-8")
        .env("ERL_EPMD_PORT", ports.mapper.to_string())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        // The system's own settings are not for this node.
        .env("RABBITMQ_CONF_ENV_FILE", "/dev/null")
        // No host name is looked up for this name.
        .env("RABBITMQ_NODENAME", format!("spanfleet{}@localhost", ports.amqp));
    command
}
