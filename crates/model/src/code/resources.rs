//! Rules about data, backups and migrations.

super::codes! {
    "TP04" "Data, backups and migrations";
    TP0401 PROMISE_WITHOUT_BACKUP Error "a promise about data has a backup that can keep it";
    TP0402 NO_COPIES_MADE Error "a backup says when copies are made";
    TP0403 RPO_TOO_SHORT Error "copies are made as often as the promise needs them";
    TP0404 KEPT_TOO_SHORT Error "a copy is kept until the next one is there";
    TP0405 KEEP_CROSSED Error "copies are kept at the most at least as long as at the least";
    TP0406 DRILL_TOO_RARE Warning "a restore is tried while older copies are still kept";
    TP0407 NEVER_RESTORED Warning "a backup has been restored before it is needed";
    TP0408 NEWEST_FROZEN Error "the newest copy can be read in time";
    TP0409 BACKUP_BESIDE Warning "a copy lies on another machine than what it is a copy of";
    TP0410 OFFSITE_NOWHERE Error "a further copy goes somewhere";
    TP0411 REAL_WITHOUT_BACKUP Error "a database with real data has a backup";
    TP0412 CONTRACT_UNTIMED Warning "a migration without a way back has a time of its own";
    TP0413 CONTRACT_NEVER Error "the time for contract migrations lies in the time for migrations";
    TP0414 MIGRATE_HOW Error "a schema moves by a command or by a folder";
    TP0415 AGED_AWAY Error "a bucket keeps backups as long as they are to be kept";
    TP0416 PUBLIC_BUCKET Error "what anybody may read holds nothing private";
    TP0417 OLD_VERSIONS Warning "old versions age only where they are kept";
    TP0418 NOT_PERSISTENT Error "what is backed up survives a restart";
    TP0419 NOT_OURS_TO_COPY Error "the log and the disk of a bound database are copied by its provider";
    TP0420 PLAIN_CONNECTION Error "a connection to real data elsewhere is encrypted";
    TP0421 VERSION_UNREADABLE Error "a version is a number";
    TP0422 VERSION_ENDED Warning "a version still gets fixes";
    TP0423 REAL_UNENCRYPTED Error "real data is encrypted on disk and in backups";
    TP0424 NO_STANDBY Error "a standby has a place of its own";
    TP0425 QUEUE_EVICTED Error "a queue does not lose jobs when memory is full";
    TP0426 REGION_AWAY Warning "components run in the region of their data";
}
