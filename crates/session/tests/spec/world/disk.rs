//! What the owner of a session makes durable, and gives back after its end.

use std::collections::BTreeMap;

use argus_protocol::{SubmissionId, ThreadId};
use argus_session::{
    ChatQuestion, ChatRef, KeptFrame, KeptHistory, OpenState, OpenSubmission, QuestionEnd, Restored,
    Settlement, StoreOp, Submission, Target,
};

/// The ledger.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    pub(crate) main_thread: Option<ThreadId>,
    pub(crate) chats: BTreeMap<(ChatRef, u32), ThreadId>,
    /// In the order they were submitted.
    pub(crate) rows: Vec<Row>,
    pub(crate) handshake: Option<(u64, String)>,
    pub(crate) checkpoint: Option<(String, u64, String)>,
    pub(crate) settlements: Vec<Settlement>,
    /// What chats were asked, in order.
    pub(crate) questions: Vec<Asked>,
    /// What was said to everybody.
    pub(crate) said: Vec<KeptFrame>,
}

/// What a chat was asked.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) question: ChatQuestion,
    pub(crate) answer: Option<String>,
    pub(crate) end: Option<QuestionEnd>,
}

#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) submission: Submission,
    /// `None` when it is settled.
    pub(crate) state: Option<OpenState>,
}

impl Disk {
    /// Stores a submission, with the thread that is bound to its target.
    pub(crate) fn submit(&mut self, mut submission: Submission) -> Submission {
        if let Target::Chat { chat, era } = &submission.target {
            submission.thread = self.chats.get(&(chat.clone(), *era)).cloned();
        }
        self.rows.push(Row { submission: submission.clone(), state: Some(OpenState::Queued) });
        submission
    }

    pub(crate) fn store(&mut self, op: StoreOp) {
        match op {
            StoreOp::Bind { target: Target::Main, thread } => self.main_thread = Some(thread),
            StoreOp::Bind { target: Target::Chat { chat, era }, thread } => {
                self.chats.insert((chat, era), thread);
            }
            StoreOp::Bind { target, .. } => panic!("{target:?} cannot be bound"),
            StoreOp::Starting { submissions, thread, boot, down_seq, request_id, after_seq } => {
                for id in &submissions {
                    let row = self.row(id);
                    row.submission.thread = Some(thread.clone());
                    let boot = boot.clone();
                    row.open(OpenState::Starting { boot, down_seq, request_id, after_seq, turn: None });
                }
            }
            StoreOp::Steering { submission, thread, boot, down_seq, request_id, after_seq, turn } => {
                let row = self.row(&submission);
                row.submission.thread = Some(thread);
                row.open(OpenState::Starting { boot, down_seq, request_id, after_seq, turn: Some(turn) });
            }
            StoreOp::Running { submissions, turn: name } => {
                for id in &submissions {
                    let Some(OpenState::Starting { turn, .. }) = &mut self.row(id).state else {
                        panic!("{id} runs, but was never started");
                    };
                    *turn = Some(name.clone());
                }
            }
            StoreOp::Queued { submissions } => {
                for id in &submissions {
                    self.row(id).open(OpenState::Queued);
                }
            }
            StoreOp::Settle(settlement) => {
                for id in &settlement.submissions {
                    assert!(self.row(id).state.take().is_some(), "{id} is settled twice: {settlement:?}");
                }
                self.settlements.push(settlement);
            }
            StoreOp::Handshake { epoch, result } => self.handshake = Some((epoch, result)),
            StoreOp::Checkpoint { boot, seq, body } => self.checkpoint = Some((boot, seq, body)),
        }
    }

    /// A chat is asked; its answer, where it gave it before.
    pub(crate) fn ask(&mut self, question: ChatQuestion) -> Option<String> {
        if let Some(known) = self.questions.iter().find(|asked| asked.question.key == question.key) {
            return known.answer.clone();
        }
        self.questions.push(Asked { question, answer: None, end: None });
        None
    }

    /// The first end counts.
    pub(crate) fn over(&mut self, key: &str, end: QuestionEnd) {
        let asked = self.questions.iter_mut().find(|asked| asked.question.key == key);
        let asked = asked.expect("only what was asked is over");
        asked.end.get_or_insert(end);
    }

    pub(crate) fn row(&mut self, id: &SubmissionId) -> &mut Row {
        self.rows.iter_mut().find(|row| row.submission.id == *id).expect("a known submission")
    }

    pub(crate) fn restored(&self) -> Restored {
        let open = self.rows.iter().filter_map(|row| {
            Some(OpenSubmission { submission: row.submission.clone(), state: row.state.clone()? })
        });
        let history = KeptHistory {
            epoch: "e".to_owned(),
            first: 1,
            frames: self.said.iter().map(|frame| frame.text.clone()).collect(),
            line: self.said.last().map(|frame| (frame.boot.to_string(), frame.line)),
        };
        let questions = self.questions.iter().filter(|asked| asked.end.is_none() && asked.answer.is_none());
        let questions = questions.map(|asked| asked.question.key.clone()).collect();
        Restored { main_thread: self.main_thread.clone(), open: open.collect(), questions, history }
    }
}

impl Row {
    fn open(&mut self, state: OpenState) {
        assert!(self.state.is_some(), "{} is settled already", self.submission.id);
        self.state = Some(state);
    }
}
