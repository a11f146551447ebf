//! The owner at a terminal.

mod policy_kit;

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use argus_node_host::policy::{Asks, Question, Reply, Terminal};
use policy_kit::{Device, question, run};
use portable_pty::{MasterPty, PtyPair, PtySize, native_pty_system};
use tokio_util::sync::CancellationToken;

/// A terminal and the person before it.
struct Desk {
    keys: Box<dyn Write + Send>,
    screen: Arc<Mutex<String>>,
    pair: PtyPair,
}

impl Desk {
    fn new() -> Self {
        let pair = native_pty_system().openpty(PtySize::default()).unwrap();
        let screen = Arc::new(Mutex::new(String::new()));
        let (mut reader, shown) = (pair.master.try_clone_reader().unwrap(), Arc::clone(&screen));
        std::thread::spawn(move || {
            let mut piece = [0; 4096];
            while let Ok(count @ 1..) = reader.read(&mut piece) {
                shown.lock().unwrap().push_str(&String::from_utf8_lossy(&piece[..count]));
            }
        });
        let keys = pair.master.take_writer().unwrap();
        Self { keys, screen, pair }
    }

    /// Waits until so many of these are on the screen.
    async fn sees(&self, text: &str, times: usize) {
        let until = Instant::now() + Duration::from_secs(20);
        while self.screen.lock().unwrap().matches(text).count() < times {
            assert!(Instant::now() < until, "{:?}", self.screen.lock().unwrap());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }

    fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }
}

fn terminal(master: &dyn MasterPty) -> Terminal {
    let name = master.tty_name().unwrap();
    let open = || OpenOptions::new().read(true).write(true).open(&name).unwrap().into();
    Terminal::on(open(), open()).unwrap()
}

fn asked(device: &Device) -> Arc<Question> {
    Arc::new(question(run(&device.no_policy(None), &["tool", "a b", "x\u{1b}[2J"])))
}

/// Asks, and types when the question is seen.
async fn answered(desk: &mut Desk, device: &Device, keys: &[&str]) -> Reply {
    let over = CancellationToken::new();
    let shown = desk.screen.lock().unwrap().matches("[y/N]").count();
    let terminal = terminal(&*desk.pair.master);
    let question = asked(device);
    let asking = tokio::spawn(async move { terminal.put(question, over).await });
    for (number, keys) in keys.iter().enumerate() {
        desk.sees("[y/N]", shown + number + 1).await;
        desk.types(keys);
    }
    asking.await.unwrap()
}

#[tokio::test]
async fn a_person_says_yes_or_no_and_is_shown_what_is_asked() {
    let (device, mut desk) = (Device::new(), Desk::new());
    let yes = Reply::Yes("at the terminal".into());
    let no = Reply::No("at the terminal".into());
    assert_eq!(answered(&mut desk, &device, &["y\n"]).await, yes);
    assert_eq!(answered(&mut desk, &device, &[" YES \n"]).await, yes);
    assert_eq!(answered(&mut desk, &device, &["n\n"]).await, no);
    assert_eq!(answered(&mut desk, &device, &["\n"]).await, no);
    assert_eq!(answered(&mut desk, &device, &["yep\n", "y\n"]).await, yes);
    let unclear = Reply::No("at the terminal: no answer was understood".into());
    assert_eq!(answered(&mut desk, &device, &["a\n", "b\n", "c\n"]).await, unclear);
    let screen = desk.screen.lock().unwrap().replace('\r', "");
    let begin = format!(
        "\n--- session s1 asks for system.run ---\n  tool 'a b' $'x\\x1b[2J'\n  program: {}\n  in {}\nlet it? [y/N] ",
        device.text("bin/tool"),
        device.text("tree")
    );
    assert!(screen.starts_with(&begin), "{screen:?}");
}

#[tokio::test]
async fn what_was_typed_before_the_question_is_no_answer() {
    let (device, mut desk) = (Device::new(), Desk::new());
    desk.types("y\ny\ny\n");
    desk.sees("y\r\ny\r\ny\r\n", 1).await;
    assert_eq!(answered(&mut desk, &device, &["n\n"]).await, Reply::No("at the terminal".into()));
}

#[tokio::test]
async fn a_question_that_is_over_is_taken_away() {
    let (device, desk) = (Device::new(), Desk::new());
    let over = CancellationToken::new();
    let (terminal, token) = (terminal(&*desk.pair.master), over.clone());
    let question = asked(&device);
    let asking = tokio::spawn(async move { terminal.put(question, token).await });
    desk.sees("[y/N]", 1).await;
    over.cancel();
    assert_eq!(asking.await.unwrap(), Reply::Nobody("it is over".into()));
    desk.sees("(over: answered elsewhere", 1).await;
}

#[tokio::test]
async fn questions_come_one_after_the_other() {
    let (device, mut desk) = (Device::new(), Desk::new());
    let terminal = Arc::new(terminal(&*desk.pair.master));
    let ask = || {
        let (terminal, question) = (Arc::clone(&terminal), asked(&device));
        tokio::spawn(async move { terminal.put(question, CancellationToken::new()).await })
    };
    let (first, second) = (ask(), ask());
    desk.sees("[y/N]", 1).await;
    assert_eq!(desk.screen.lock().unwrap().matches("asks for").count(), 1);
    desk.types("y\n");
    desk.sees("[y/N]", 2).await;
    desk.types("y\n");
    let yes = Reply::Yes("at the terminal".into());
    assert_eq!([first.await.unwrap(), second.await.unwrap()], [yes.clone(), yes]);
}

#[test]
fn what_is_no_terminal_is_not_asked() {
    let file = || tempfile::tempfile().unwrap().into();
    assert!(Terminal::on(file(), file()).is_none());
}
