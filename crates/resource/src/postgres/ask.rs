//! Asking a server whether it takes requests, by the first words that any client says.
//!
//! A server that reads its log answers everybody with an error that has its own code. One that takes requests asks for the
//! password, and then we leave: nothing has been counted, and nothing is written into its log.

use crate::Answer;

/// The version of the protocol: 3.0.
const PROTOCOL: u32 = 3 << 16;

/// What is sent first.
pub fn ask(user: &str, database: &str) -> Vec<u8> {
    let mut body = PROTOCOL.to_be_bytes().to_vec();
    for word in ["user", user, "database", database] {
        body.extend(word.bytes().filter(|byte| *byte != 0));
        body.push(0);
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut message = length.to_be_bytes().to_vec();
    message.append(&mut body);
    message
}

/// What the answer means, as far as it has come.
pub fn judge(answer: &[u8]) -> Answer {
    match answer.first() {
        None => Answer::Unfinished,
        Some(b'R') => Answer::Ready,
        Some(b'E') => refusal(answer),
        Some(_) => Answer::Strange("this is not Postgres".to_owned()),
    }
}

/// An error is a list of fields, each with a letter: `C` is the code, `M` the message.
fn refusal(answer: &[u8]) -> Answer {
    let Some(length) = answer.get(1..5).and_then(|bytes| bytes.try_into().ok()) else {
        return Answer::Unfinished;
    };
    let length = u32::from_be_bytes(length) as usize;
    // Longer than any error: somebody else begins a word with this letter.
    if !(5..=100_000).contains(&length) {
        return Answer::Strange("this is not Postgres".to_owned());
    }
    let Some(fields) = answer.get(5..=length) else {
        return Answer::Unfinished;
    };
    let field = |letter: u8| {
        let mut fields = fields.split(|byte| *byte == 0);
        let field = fields.find(|field| field.first() == Some(&letter))?;
        Some(String::from_utf8_lossy(&field[1..]).into_owned())
    };
    match field(b'C').as_deref() {
        // It starts, it recovers, or it is about to end.
        Some("57P03") => Answer::Starting,
        // Every connection is in use: that is a server that works.
        Some("53300") => Answer::Ready,
        _ => Answer::Strange(field(b'M').unwrap_or_else(|| "it refuses without a word".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(code: &str, message: &str) -> Vec<u8> {
        let fields = format!("SFATAL\0VFATAL\0C{code}\0M{message}\0\0");
        let mut answer = vec![b'E'];
        answer.extend((fields.len() as u32 + 4).to_be_bytes());
        answer.extend(fields.bytes());
        answer
    }

    #[test]
    fn the_question_is_the_first_message_of_a_client() {
        let message = ask("app", "shop");
        assert_eq!(message[..4], (message.len() as u32).to_be_bytes());
        assert_eq!(&message[4..], b"\0\x03\0\0user\0app\0database\0shop\0\0");
    }

    #[test]
    fn an_answer_is_judged_by_its_letter_and_code() {
        assert_eq!(judge(b""), Answer::Unfinished);
        assert_eq!(judge(b"R\0\0\0\x17"), Answer::Ready);
        assert_eq!(
            judge(b"HTTP/1.1 400"),
            Answer::Strange("this is not Postgres".into())
        );
        assert_eq!(
            judge(b"EHLO smtp.example"),
            Answer::Strange("this is not Postgres".into())
        );
        let starting = error("57P03", "the database system is starting up");
        assert_eq!(judge(&starting), Answer::Starting);
        for end in 1..starting.len() {
            assert_eq!(judge(&starting[..end]), Answer::Unfinished, "{end}");
        }
        assert_eq!(
            judge(&error("53300", "sorry, too many clients already")),
            Answer::Ready
        );
        assert_eq!(
            judge(&error("28000", "no pg_hba.conf entry")),
            Answer::Strange("no pg_hba.conf entry".into())
        );
    }
}
