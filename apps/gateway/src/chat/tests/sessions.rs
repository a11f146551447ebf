//! Sessions that only remember.

use super::*;

/// Remembers what it was asked; era 0 of chat 7 has a turn that runs, unless one runs elsewhere.
#[derive(Default)]
pub(super) struct Sessions {
    pub(super) submitted: Mutex<Vec<Submission>>,
    pub(super) stopped: Mutex<Vec<Target>>,
    pub(super) broken: Mutex<Option<String>>,
    pub(super) answered: Mutex<Vec<(String, Value)>>,
    /// How the next submissions come to stand.
    pub(super) standing: Mutex<Option<Standing>>,
    pub(super) hastened: Mutex<Vec<(SubmissionId, Haste)>>,
    /// What becomes of a wish for haste.
    pub(super) haste: Mutex<Option<Result<Hastened, String>>>,
    pub(super) amended: Mutex<Vec<(SubmissionId, String)>>,
    /// Where else a turn runs.
    pub(super) aside: Mutex<Option<Target>>,
    /// What the agent answers.
    pub(super) agent: Mutex<Option<Value>>,
}

impl Sessions {
    fn runs(&self, target: &Target) -> bool {
        if let Some(aside) = &*locked(&self.aside) {
            return aside == target;
        }
        matches!(target, Target::Chat { chat, era: 0 } if chat.chat.as_str() == "7")
    }
}

#[async_trait]
impl Machines for Sessions {
    async fn answered(&self, _: &str, _: &str, _: bool, _: &str) {}
}

#[async_trait]
impl Turns for Sessions {
    async fn submitted(&self, submission: Submission) -> BoxFuture<'static, Standing> {
        locked(&self.submitted).push(submission);
        std::future::ready(locked(&self.standing).unwrap_or(Standing::Runs)).boxed()
    }

    async fn stop(&self, _session: &SessionId, target: &Target) -> Result<Stopped, String> {
        locked(&self.stopped).push(target.clone());
        Ok(Stopped { running: self.runs(target), waiting: 0 })
    }

    async fn status(&self, _session: &SessionId, target: &Target) -> Result<LaneStatus, String> {
        let running_since = self.runs(target).then(crate::clock::unix_ms);
        Ok(LaneStatus { thread: None, running_since, waiting: 1, runtime: "ready", trouble: None })
    }

    async fn hasten(
        &self,
        _session: &SessionId,
        submission: &SubmissionId,
        how: Haste,
    ) -> Result<Hastened, String> {
        locked(&self.hastened).push((submission.clone(), how));
        locked(&self.haste).clone().unwrap_or(Ok(Hastened::Steered))
    }

    async fn amend(
        &self,
        _session: &SessionId,
        submission: &SubmissionId,
        text: String,
    ) -> Result<bool, String> {
        locked(&self.amended).push((submission.clone(), text));
        Ok(true)
    }

    async fn answer(&self, session_id: &SessionId, key: &str, result: &str) {
        assert_eq!(*session_id, session());
        locked(&self.answered).push((key.to_owned(), serde_json::from_str(result).unwrap()));
    }

    async fn ask_agent(&self, _session: &SessionId, method: &str, _params: Value) -> Result<Value, String> {
        assert_eq!(method, "model/list");
        locked(&self.agent).clone().ok_or_else(|| "the agent is away".to_owned())
    }

    async fn sessions(&self) -> Result<Vec<SessionLine>, String> {
        Ok(vec![SessionLine { session: session(), status: "running".to_owned() }])
    }

    async fn default_session(&self) -> Result<SessionId, String> {
        match &*locked(&self.broken) {
            Some(reason) => Err(reason.clone()),
            None => Ok(session()),
        }
    }

    async fn session_of(&self, owner: &str) -> Result<SessionId, String> {
        let words = owner.replace('\0', "-");
        words.parse().map_err(|_| format!("no session for {words}"))
    }
}
