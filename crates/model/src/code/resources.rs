//! Rules about data, backups and migrations.

super::codes! {
    "TP04" "Data, backups and migrations";
    TP0401 PROMISE_WITHOUT_BACKUP Error "a promise about data has a backup that can keep it";
}
