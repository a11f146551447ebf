//! What people read of messages that come while a turn runs, in each language.

use argus_session::{Haste, Hastened};

use super::pick;
use crate::store::ledger::Language;

pub(in crate::chat) fn waits(language: Language, tried: Option<Haste>) -> String {
    match tried {
        None => pick(language, "⏳ This waits until I am done.", "⏳ 等我完成当前的工作后再处理。"),
        Some(Haste::Steer) => pick(
            language,
            "⏳ I could not be told at once; this waits until I am done.",
            "⏳ 暂时无法立即转达；等我完成当前的工作后再处理。",
        ),
        Some(Haste::Interrupt) => pick(
            language,
            "⏳ What runs could not be ended; this waits until I am done.",
            "⏳ 暂时无法中断当前的工作；等我完成后再处理。",
        ),
    }
}

pub(in crate::chat) fn steer(language: Language) -> String {
    pick(language, "↪ Tell it now", "↪ 立即转达")
}

pub(in crate::chat) fn interrupt(language: Language) -> String {
    pick(language, "⏹ Interrupt", "⏹ 中断当前工作")
}

pub(in crate::chat) fn hastened(language: Language, hastened: Hastened) -> String {
    match hastened {
        Hastened::Steered => pick(language, "↪ I was told at once.", "↪ 已立即转达。"),
        Hastened::Interrupting => pick(
            language,
            "⏹ I stop what I am doing, and this comes next.",
            "⏹ 正在停止当前的工作，接下来处理这条消息。",
        ),
        Hastened::NotWaiting => pick(language, "This does not wait any more.", "这条消息已不再等待。"),
        Hastened::NothingRuns => pick(
            language,
            "Nothing runs that it waits for; it comes in a moment.",
            "没有正在进行的工作，马上处理。",
        ),
    }
}

pub(in crate::chat) fn too_late(language: Language) -> String {
    pick(
        language,
        "I am working on the earlier wording already. Send /stop, or write what is different.",
        "我已经在处理修改前的内容。请发送 /stop，或写明有什么不同。",
    )
}
