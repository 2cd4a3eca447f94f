//! Asking a server whether it takes requests.
//!
//! It is asked with its password: one that still reads what it kept says so only to those whom it knows, and tells everybody
//! else that they need a password, as it does later.

use crate::Answer;
use towpath_model::Sealed;

/// What is sent. Without a password, a server that wants one is taken for ready as soon as it lives.
pub fn ask(password: &Sealed<String>) -> Sealed<Vec<u8>> {
    let password = password.open();
    let mut question = Vec::new();
    if !password.is_empty() {
        question.extend(format!("*2\r\n$4\r\nAUTH\r\n${}\r\n{password}\r\n", password.len()).bytes());
    }
    question.extend(b"PING\r\n");
    Sealed::new(question)
}

/// What the answer means, as far as it has come.
pub fn judge(answer: &[u8]) -> Answer {
    // What it says to the password comes first, and says little where it is right.
    let answer = answer.strip_prefix(b"+OK\r\n").unwrap_or(answer);
    let strange = || Answer::Strange("this is not Redis".to_owned());
    let Some(end) = answer.iter().position(|byte| *byte == b'\r') else {
        // No answer that we know is longer than this.
        let known = matches!(answer.first(), None | Some(b'+' | b'-')) && answer.len() < 1000;
        return if known { Answer::Unfinished } else { strange() };
    };
    let line = String::from_utf8_lossy(&answer[..end]);
    match line.split_whitespace().next().unwrap_or_default() {
        "+OK" if answer.len() < end + 2 => Answer::Unfinished,
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

    #[test]
    fn what_it_says_to_the_password_is_not_the_answer() {
        assert_eq!(
            ask(&Sealed::new("a b".to_owned())).open(),
            b"*2\r\n$4\r\nAUTH\r\n$3\r\na b\r\nPING\r\n"
        );
        assert_eq!(ask(&Sealed::new(String::new())).open(), b"PING\r\n");
        let whole = b"+OK\r\n-LOADING later\r\n";
        for end in 0..=whole.len() - 2 {
            assert_eq!(judge(&whole[..end]), Answer::Unfinished, "{end}");
        }
        assert_eq!(judge(whole), Answer::Starting);
        assert_eq!(judge(b"+OK\r\n+PONG\r\n"), Answer::Ready);
        let wrong = b"-WRONGPASS invalid\r\n-NOAUTH needed\r\n";
        assert_eq!(judge(wrong), Answer::Strange("WRONGPASS invalid".into()));
    }
}
