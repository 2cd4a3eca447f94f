//! The jobs. Each may run twice, or be left in the middle by a kill: then the next one goes on.

use crate::Workers;
use redis::AsyncCommands;
use reflect_coach::coach::{Answer, Event, Question, rule_of_thumb};
use reflect_coach::stores::tell;
use reflect_coach::{Fault, call, log, queue};
use serde_json::{Value, json};

/// So many steps an import is done in at the least, each of them seen by whoever waits for it.
const STEPS: i64 = 20;

/// A step is small enough to hold nobody up.
const LARGEST_STEP: i64 = 500;

/// Runs a job: whether it came to its end, or was left because we stop.
pub async fn run(workers: &Workers, queue: &str, body: &Value) -> Result<bool, Fault> {
    let word = |name: &str| body[name].as_str().map(str::to_owned);
    match queue {
        "import" => {
            let id = match (word("import"), word("user")) {
                (Some(id), _) => id,
                (None, Some(user)) => afresh(workers, user, body["rows"].as_i64().unwrap_or(1)).await?,
                (None, None) => return Err("neither an import nor a user is named".into()),
            };
            import(workers, &id).await
        }
        _ => {
            let person = word("person").ok_or("no person is named")?;
            match queue {
                "score" => score(workers, &person).await,
                "sim" => simulate(workers, &person, body).await,
                _ => digest(workers, &person).await,
            }?;
            Ok(true)
        }
    }
}

/// An import that was put on the queue by somebody else: it has its user's name, and begins again each time.
async fn afresh(workers: &Workers, user: String, lines: i64) -> Result<String, Fault> {
    let mut all = workers.db.begin().await?;
    sqlx::query("DELETE FROM events WHERE import = $1")
        .bind(&user)
        .execute(&mut *all)
        .await?;
    sqlx::query(
        "INSERT INTO imports (id, person, source, lines) VALUES ($1, $1, 'sample', $2)
         ON CONFLICT (id) DO UPDATE SET lines = excluded.lines, done = 0, touched = now()",
    )
    .bind(&user)
    .bind(lines)
    .execute(&mut *all)
    .await?;
    all.commit().await?;
    Ok(user)
}

/// Imports step by step. What a step has kept, and how far it has come, are true together.
async fn import(workers: &Workers, id: &str) -> Result<bool, Fault> {
    loop {
        let found: Option<(String, i64, i64)> =
            sqlx::query_as("SELECT person, lines, done FROM imports WHERE id = $1")
                .bind(id)
                .fetch_optional(&workers.db)
                .await?;
        let Some((person, lines, done)) = found else {
            return Err("there is no such import".into());
        };
        if done >= lines {
            return Ok(true);
        }
        if workers.stop.is_asked() {
            return Ok(false);
        }
        let next = lines.min(done + (lines / STEPS).clamp(1, LARGEST_STEP));
        if !step(workers, id, &person, (done, next, lines)).await? {
            // Somebody else is at it: it is theirs.
            return Ok(true);
        }
    }
}

async fn step(
    workers: &Workers,
    id: &str,
    person: &str,
    (done, next, lines): (i64, i64, i64),
) -> Result<bool, Fault> {
    let mut all = workers.db.begin().await?;
    let ours = sqlx::query("UPDATE imports SET done = $3, touched = now() WHERE id = $1 AND done = $2")
        .bind(id)
        .bind(done)
        .bind(next)
        .execute(&mut *all)
        .await?;
    if ours.rows_affected() == 0 {
        return Ok(false);
    }
    sqlx::query(
        "INSERT INTO events (person, kind, amount, at, import, line)
         SELECT $1, (ARRAY['walk', 'read', 'swim', 'cook', 'rest'])[1 + (line % 5)::integer], 10 + line * 37 % 50,
                now() - line * interval '5 hours', $2, line
         FROM generate_series($3 + 1, $4) AS line ON CONFLICT (import, line) DO NOTHING",
    )
    .bind(person)
    .bind(id)
    .bind(done)
    .bind(next)
    .execute(&mut *all)
    .await?;
    let progress = format!("{}%", next * 100 / lines);
    tell(
        &mut all,
        person,
        "import",
        &json!({ "id": id, "progress": progress }),
    )
    .await?;
    if next == lines {
        sqlx::query(
            "INSERT INTO scores (person) VALUES ($1)
             ON CONFLICT (person) DO UPDATE SET wanted = scores.wanted + 1, touched = now()",
        )
        .bind(person)
        .execute(&mut *all)
        .await?;
    }
    all.commit().await?;
    if next == lines {
        queue::put(&mut workers.redis.clone(), "score", json!({ "person": person })).await?;
    }
    Ok(true)
}

async fn history(workers: &Workers, person: &str) -> Result<Question, Fault> {
    let found: Vec<(i64, String, i64)> = sqlx::query_as(
        "SELECT extract(epoch FROM at)::bigint, kind, amount FROM events WHERE person = $1 ORDER BY at DESC LIMIT 500",
    )
    .bind(person)
    .fetch_all(&workers.db)
    .await?;
    let history = found
        .into_iter()
        .map(|(at, kind, amount)| Event { at, kind, amount });
    Ok(Question {
        history: history.collect(),
    })
}

/// Asks the coach, and rules where it must not or cannot be asked; and whether it was the coach.
async fn ask(workers: &Workers, question: &Question) -> (Answer, bool) {
    if !workers.rules_only {
        match call::coach(&workers.agent, &workers.coach, &workers.coach_key, question).await {
            Ok(answer) => return (answer, true),
            Err(why) => log::warn("the coach is silent", json!({ "why": why.to_string() })),
        }
    }
    (rule_of_thumb(question), false)
}

/// Reflects on what a person did. One reflection answers all that were wanted until then.
async fn score(workers: &Workers, person: &str) -> Result<(), Fault> {
    let found: Option<(i64, i64)> = sqlx::query_as("SELECT wanted, scored FROM scores WHERE person = $1")
        .bind(person)
        .fetch_optional(&workers.db)
        .await?;
    let Some((wanted, scored)) = found else {
        return Ok(());
    };
    if scored >= wanted {
        return Ok(());
    }
    let (answer, by_coach) = ask(workers, &history(workers, person).await?).await;
    let mut all = workers.db.begin().await?;
    let ours =
        sqlx::query("UPDATE scores SET scored = $2, touched = now() WHERE person = $1 AND scored < $2")
            .bind(person)
            .bind(wanted)
            .execute(&mut *all)
            .await?;
    if ours.rows_affected() == 0 {
        return Ok(());
    }
    sqlx::query("INSERT INTO reflections (person, advice, hash, by_coach) VALUES ($1, $2, $3, $4)")
        .bind(person)
        .bind(&answer.advice)
        .bind(&answer.hash)
        .bind(by_coach)
        .execute(&mut *all)
        .await?;
    let body = json!({ "advice": answer.advice, "by_coach": by_coach });
    tell(&mut all, person, "reflect", &body).await?;
    all.commit().await?;
    let _: () = workers
        .redis
        .clone()
        .del(format!("cache:reflections:{person}"))
        .await?;
    Ok(())
}

/// Works out what would be if somebody did more of something, a day each.
async fn simulate(workers: &Workers, person: &str, body: &Value) -> Result<(), Fault> {
    let mut question = history(workers, person).await?;
    let from = question.history.iter().map(|event| event.at).max().unwrap_or(0);
    let kind = body["kind"].as_str().unwrap_or_default();
    let amount = body["minutes"].as_i64().unwrap_or(0);
    for day in 1..=body["times"].as_i64().unwrap_or(0) {
        let at = from + day * 24 * 60 * 60;
        question.history.push(Event {
            at,
            kind: kind.to_owned(),
            amount,
        });
    }
    let (answer, by_coach) = ask(workers, &question).await;
    let key = body["key"].as_str().unwrap_or_default();
    let text =
        json!({ "advice": answer.advice, "indicators": answer.indicators, "by_coach": by_coach }).to_string();
    let place = format!("sim:{person}:{key}");
    let _: () = workers
        .redis
        .clone()
        .set_ex(place, text, workers.simulations_kept)
        .await?;
    let mut all = workers.db.begin().await?;
    tell(&mut all, person, "simulation", &json!({ "key": key })).await?;
    all.commit().await?;
    Ok(())
}

/// Writes the digest of this week into the bucket, then into the list of those that are there.
async fn digest(workers: &Workers, person: &str) -> Result<(), Fault> {
    let (week, minutes, reflections): (String, String, i64) = sqlx::query_as(
        "SELECT to_char(now(), 'IYYY\"-W\"IW'),
                (SELECT coalesce(json_object_agg(kind, sum ORDER BY kind), '{}')::text FROM
                 (SELECT kind, sum(amount) FROM events WHERE person = $1 AND at > now() - interval '7 days'
                  GROUP BY kind) AS week),
                (SELECT count(*) FROM reflections WHERE person = $1 AND at > now() - interval '7 days')",
    )
    .bind(person)
    .fetch_one(&workers.db)
    .await?;
    let minutes: Value = serde_json::from_str(&minutes)?;
    let object = format!("digests/{person}/{week}.json");
    let text = json!({ "person": person, "week": week, "minutes": minutes, "reflections": reflections });
    let text = text.to_string();
    workers.files.put(&object, text.clone()).await?;
    // What cannot be read back is not there, whatever was answered.
    if workers.files.get(&object).await? != text {
        return Err("the bucket holds something else than was written".into());
    }
    let mut all = workers.db.begin().await?;
    sqlx::query(
        "INSERT INTO digests (person, week, object) VALUES ($1, $2, $3)
         ON CONFLICT (person, week) DO UPDATE SET object = excluded.object, at = now()",
    )
    .bind(person)
    .bind(&week)
    .bind(&object)
    .execute(&mut *all)
    .await?;
    tell(
        &mut all,
        person,
        "digest",
        &json!({ "week": week, "object": object }),
    )
    .await?;
    all.commit().await?;
    Ok(())
}

/// Asks again for what is wanted and was not touched for a while: its job was in a Redis that is no more.
pub async fn ask_again(workers: &Workers) -> Result<(), Fault> {
    let mut redis = workers.redis.clone();
    let imports: Vec<(String,)> = sqlx::query_as(
        "UPDATE imports SET touched = now() WHERE done < lines AND touched < now() - interval '15 seconds' RETURNING id",
    )
    .fetch_all(&workers.db)
    .await?;
    for (id,) in imports {
        queue::put(&mut redis, "import", json!({ "import": id })).await?;
    }
    let scores: Vec<(String,)> = sqlx::query_as(
        "UPDATE scores SET touched = now() WHERE scored < wanted AND touched < now() - interval '15 seconds'
         RETURNING person",
    )
    .fetch_all(&workers.db)
    .await?;
    for (person,) in scores {
        queue::put(&mut redis, "score", json!({ "person": person })).await?;
    }
    Ok(())
}
