//! radosgw on a Ceph of one node: the stand-in for an old S3 server of another make. Three daemons, all
//! children, all on the loopback.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use rustix::process::Signal;

use super::{Bucket, S3Access, START_PATIENCE, STOP_PATIENCE};
use crate::daemon::{Daemon, free_port, is_open, run};

const PROGRAMS: [&str; 6] = ["ceph", "ceph-mon", "ceph-osd", "radosgw", "radosgw-admin", "ceph-authtool"];

/// A private radosgw.
#[derive(Debug)]
pub struct Radosgw {
    folder: PathBuf,
    port: u16,
    gateway: Daemon,
    object_store: Daemon,
    monitor: Daemon,
}

impl Radosgw {
    /// Whether its programs are installed.
    pub fn is_installed() -> bool {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
        PROGRAMS.iter().all(|program| folders.iter().any(|folder| folder.join(program).is_file()))
    }

    /// Makes a Ceph in this folder and starts it with a gateway.
    pub fn start(folder: &Path) -> Radosgw {
        let (port, monitor_port) = (free_port(), free_port());
        let ceph = Ceph { folder, port, monitor_port };
        ceph.write_settings().expect("the settings of Ceph can be written");
        ceph.make_monitor();
        let mut monitor = ceph.launch("ceph-mon", "a");
        monitor.wait_until_ready(START_PATIENCE, || is_open(monitor_port));
        ceph.make_object_store();
        let mut object_store = ceph.launch("ceph-osd", "0");
        // A gateway that comes before it waits ten seconds before it looks again.
        object_store.wait_until_ready(START_PATIENCE, || ceph.object_store_is_up());
        let mut gateway = ceph.launch("radosgw", "client.rgw.x");
        gateway.wait_until_ready(START_PATIENCE, || is_open(port));
        ceph.make_user();
        Radosgw { folder: folder.to_owned(), port, gateway, object_store, monitor }
    }

    /// Its address.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// How to reach it.
    pub fn access(&self) -> S3Access {
        S3Access::new(self.url())
    }

    /// A new bucket on it.
    pub fn fresh_bucket(&self) -> Bucket {
        self.access().fresh_bucket()
    }

    /// `kill -9` of the gateway.
    pub fn kill9(&mut self) {
        self.gateway.kill9();
    }

    /// Starts the gateway again on its port; a running one is stopped before.
    pub fn restart(&mut self) {
        self.gateway.stop(Signal::TERM, STOP_PATIENCE);
        let ceph = Ceph { folder: &self.folder, port: self.port, monitor_port: 0 };
        self.gateway = ceph.launch("radosgw", "client.rgw.x");
        let port = self.port;
        self.gateway.wait_until_ready(START_PATIENCE, || is_open(port));
    }
}

impl Drop for Radosgw {
    fn drop(&mut self) {
        // Nobody wants the data, and a stop in good order takes half a minute.
        self.gateway.kill9();
        self.object_store.kill9();
        self.monitor.kill9();
    }
}

/// The commands that make and start a Ceph of one node.
struct Ceph<'a> {
    folder: &'a Path,
    port: u16,
    monitor_port: u16,
}

impl Ceph<'_> {
    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env("CEPH_CONF", self.folder.join("ceph.conf")).arg("-c").arg(self.folder.join("ceph.conf"));
        command
    }

    fn launch(&self, program: &str, name: &str) -> Daemon {
        let mut command = self.command(program);
        // `-f`: stay in the foreground, a child that can be waited for.
        command.args([if program == "radosgw" { "-n" } else { "-i" }, name, "-f"]);
        Daemon::start(program, &mut command, &self.folder.join(format!("log/{program}.console")))
    }

    fn write_settings(&self) -> std::io::Result<()> {
        for name in ["mon", "osd", "rgw", "run", "log"] {
            fs::create_dir_all(self.folder.join(name))?;
        }
        let settings = include_str!("ceph.conf")
            .replace("@FSID@", &uuid::Uuid::new_v4().to_string())
            .replace("@DIR@", &self.folder.display().to_string())
            .replace("@HOST@", &host_name())
            .replace("@MONITOR_PORT@", &self.monitor_port.to_string())
            .replace("@PORT@", &self.port.to_string());
        fs::write(self.folder.join("ceph.conf"), settings)
    }

    fn make_monitor(&self) {
        let (map, keys) = (self.folder.join("monmap"), self.folder.join("keyring"));
        let settings = fs::read_to_string(self.folder.join("ceph.conf")).expect("the settings are there");
        let fsid = settings.lines().find_map(|line| line.strip_prefix("fsid = ")).expect("there is an fsid");
        let address = format!("[v2:127.0.0.1:{}]", self.monitor_port);
        run(Command::new("monmaptool").args(["--create", "--fsid", fsid, "--addv", "a", &address]).arg(&map));
        for (number, (name, rights)) in KEYS.iter().enumerate() {
            let mut command = Command::new("ceph-authtool");
            command.arg(&keys).args((number == 0).then_some("--create-keyring")).args([
                "--gen-key",
                "-n",
                name,
            ]);
            for (daemon, right) in *rights {
                command.args(["--cap", daemon, right]);
            }
            run(&mut command);
        }
        run(self
            .command("ceph-mon")
            .args(["-i", "a", "--mkfs", "--monmap"])
            .arg(map)
            .arg("--keyring")
            .arg(keys));
    }

    fn make_object_store(&self) {
        let id = uuid::Uuid::new_v4().to_string();
        run(self.command("ceph").args(["--connect-timeout", "60", "osd", "new", &id]));
        run(self.command("ceph-osd").args(["-i", "0", "--mkfs", "--osd-uuid", &id]));
        let place = format!("host={}", host_name());
        run(self.command("ceph").args(["osd", "crush", "add", "osd.0", "1.0", "root=default", &place]));
    }

    fn object_store_is_up(&self) -> bool {
        let log = fs::read(self.folder.join("log/osd.0.log")).unwrap_or_default();
        String::from_utf8_lossy(&log).contains("state: booting -> active")
    }

    fn make_user(&self) {
        let S3Access { access_key, secret_key, .. } = S3Access::new("");
        run(self
            .command("radosgw-admin")
            .args(["-n", "client.rgw.x", "user", "create", "--uid=test", "--display-name=test"])
            .args(["--access-key", &access_key, "--secret-key", &secret_key]));
    }
}

type Rights = &'static [(&'static str, &'static str)];

const KEYS: [(&str, Rights); 4] = [
    ("mon.", &[("mon", "allow *")]),
    ("client.admin", &[("mon", "allow *"), ("osd", "allow *"), ("mgr", "allow *")]),
    ("client.rgw.x", &[("mon", "allow rw"), ("osd", "allow rwx")]),
    ("osd.0", &[("mon", "allow profile osd"), ("osd", "allow *")]),
];

fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").expect("the kernel knows the host's name");
    name.trim().to_owned()
}
