//! Many writers at once, a full disk, the end.

use std::process::Command;

use super::*;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_from_many_tasks_share_commits_and_all_last() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let tasks: Vec<_> = (0..200u8)
        .map(|number| {
            let ledger = ledger.clone();
            tokio::spawn(async move {
                let key = Some(format!("k{}", number % 100));
                ledger.submit(NewSubmission { idempotency_key: key, ..new(number) }).await
            })
        })
        .collect();
    let (mut fresh, mut repeated) = (0, 0);
    for task in tasks {
        match task.await.unwrap().unwrap() {
            Submitted::New(_) => fresh += 1,
            Submitted::Repeated(_) => repeated += 1,
        }
    }
    assert_eq!((fresh, repeated), (100, 100));
    // What was answered is there, whatever becomes of the process.
    assert_eq!(desk.open().await.open_submissions(&session("s")).await.unwrap().len(), 100);
}

#[tokio::test]
async fn a_refused_job_undoes_itself_and_not_its_neighbours() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let refused = ledger.write::<()>(|tx| {
        Box::pin(async move {
            tx.submit(new(2)).await?;
            Err(LedgerError::NotOpen(id(2)))
        })
    });
    let (first, refused, last) = tokio::join!(ledger.submit(new(1)), refused, ledger.submit(new(3)));
    assert!(matches!((first, last), (Ok(Submitted::New(_)), Ok(Submitted::New(_)))));
    assert!(matches!(refused, Err(LedgerError::NotOpen(_))));
    let open = ledger.open_submissions(&session("s")).await.unwrap();
    let open: Vec<_> = open.into_iter().map(|o| o.submission.id).collect();
    assert_eq!(open, ids(&[1, 3]));
}

#[tokio::test]
async fn a_job_that_panics_undoes_itself_and_the_writer_goes_on() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let broken = ledger.write::<()>(|tx| {
        Box::pin(async move {
            tx.submit(new(2)).await?;
            panic!("on purpose, in a test")
        })
    });
    let (first, broken, last) = tokio::join!(ledger.submit(new(1)), broken, ledger.submit(new(3)));
    assert!(matches!((first, last), (Ok(Submitted::New(_)), Ok(Submitted::New(_)))));
    assert!(matches!(broken, Err(LedgerError::Panicked)), "{broken:?}");
    ledger.submit(new(4)).await.unwrap();
    let open = ledger.open_submissions(&session("s")).await.unwrap();
    let open: Vec<_> = open.into_iter().map(|o| o.submission.id).collect();
    assert_eq!(open, ids(&[1, 3, 4]));
}

#[tokio::test]
async fn a_job_whose_caller_left_is_done_all_the_same() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let mut submit = Box::pin(ledger.submit(new(1)));
    assert_eq!(futures::FutureExt::now_or_never(&mut submit).map(|r| r.is_ok()), None);
    drop(submit);
    ledger.submit(new(2)).await.unwrap();
    assert_eq!(ledger.open_submissions(&session("s")).await.unwrap().len(), 2);
}

#[tokio::test]
async fn closing_stores_what_was_asked_and_takes_no_more() {
    let desk = Desk::new();
    let ledger = desk.open().await;
    let mut asked: Vec<_> = (0..20).map(|number| Box::pin(ledger.submit(new(number)))).collect();
    for submit in &mut asked {
        assert!(futures::FutureExt::now_or_never(submit).is_none());
    }
    ledger.close().await;
    for submit in asked {
        submit.await.unwrap();
    }
    assert!(matches!(ledger.submit(new(21)).await, Err(LedgerError::Closed)));
    assert_eq!(desk.open().await.open_submissions(&session("s")).await.unwrap().len(), 20);
    assert!(
        !desk.dir.path().join("ledger.db-wal").exists()
            || ledger.open_submissions(&session("s")).await.is_err()
    );
}

/// A file system of two megabytes, unmounted when dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let done = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
            .arg(dir.path())
            .output()
            .is_ok_and(|output| output.status.success());
        done.then_some(Self(dir))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0.path()).output();
    }
}

#[tokio::test]
async fn a_full_disk_is_told_and_nothing_is_half_done_and_space_mends_it() {
    let Some(disk) = SmallDisk::mount() else {
        eprintln!("skipped: a small file system cannot be mounted here (root is needed)");
        return;
    };
    let path = disk.0.path().join("ledger.db");
    let ledger = Ledger::open(&path, answer).await.unwrap();
    let ballast = disk.0.path().join("ballast");
    assert!(std::fs::write(&ballast, vec![0; 4 << 20]).is_err(), "the disk is full now");

    let big = |number: u8| NewSubmission {
        submission: Submission { text: "x".repeat(300_000), ..submission(number) },
        idempotency_key: None,
    };
    let (first, second) = tokio::join!(ledger.submit(big(1)), ledger.submit(new(2)));
    assert!(matches!(first, Err(LedgerError::DiskFull)), "{first:?}");
    assert!(second.is_err(), "it shared the transaction");
    assert_eq!(open_of_s(&ledger).await, []);

    std::fs::remove_file(ballast).unwrap();
    ledger.submit(big(1)).await.unwrap();
    ledger.submit(new(2)).await.unwrap();
    ledger.close().await;
    let ledger = Ledger::open(&path, answer).await.unwrap();
    assert_eq!(ledger.open_submissions(&session("s")).await.unwrap().len(), 2);
    ledger.close().await;
}
