//! Asking a server whether it takes requests. It needs no password for that: to be asked for one is an answer, too.

use crate::Answer;

/// What is sent.
pub fn ask() -> Vec<u8> {
    b"PING\r\n".to_vec()
}

/// What the answer means, as far as it has come.
pub fn judge(answer: &[u8]) -> Answer {
    let strange = || Answer::Strange("this is not Redis".to_owned());
    let Some(end) = answer.iter().position(|byte| *byte == b'\r') else {
        // No answer that we know is longer than this.
        let known = matches!(answer.first(), None | Some(b'+' | b'-')) && answer.len() < 1000;
        return if known { Answer::Unfinished } else { strange() };
    };
    let line = String::from_utf8_lossy(&answer[..end]);
    match line.split_whitespace().next().unwrap_or_default() {
        "+PONG" | "-NOAUTH" => Answer::Ready,
        "-LOADING" => Answer::Starting,
        _ if line.starts_with('-') => Answer::Strange(line[1..].to_owned()),
        _ => strange(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_judged_by_its_first_word() {
        assert_eq!(judge(b"+PONG\r\n"), Answer::Ready);
        assert_eq!(judge(b"-NOAUTH Authentication required.\r\n"), Answer::Ready);
        assert_eq!(
            judge(b"-LOADING Redis is loading the dataset in memory\r\n"),
            Answer::Starting
        );
        assert_eq!(judge(b"-NOA"), Answer::Unfinished);
        assert_eq!(judge(b""), Answer::Unfinished);
        assert_eq!(
            judge(b"-MISCONF errors writing\r\n"),
            Answer::Strange("MISCONF errors writing".into())
        );
        assert_eq!(
            judge(b"HTTP/1.1 400 Bad Request\r\n"),
            Answer::Strange("this is not Redis".into())
        );
        assert_eq!(judge(b"SSH-2.0"), Answer::Strange("this is not Redis".into()));
    }
}
