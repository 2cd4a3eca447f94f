//! Rules about words and values.

super::codes! {
    "TP01" "Words and values";
    TP0101 UNKNOWN_WORD Error "every key is a word of the language";
    TP0102 WRONG_TYPE Error "a value has the type of its field";
    TP0103 WRONG_VALUE Error "a value is written as its unit asks";
    TP0104 MISSING_WORD Error "what is required is written";
    TP0105 WRONG_CHOICE Error "a choice is one of the words offered";
    TP0106 WRONG_KIND Error "a field stands in a table of a kind that has it";
    TP0107 ONE_OF Error "of some fields exactly one is written";
    TP0108 OUT_OF_BOUNDS Error "a number lies within its bounds";
    TP0109 WRONG_NAME Error "a name is lower case letters, digits and hyphens";
    TP0110 NOT_IN_ENVIRONMENT Error "an environment lays over what the root may say, not what the product is";
    TP0111 NOT_OPTIONAL Error "only what is optional can be switched off";
    TP0112 EMPTY_TEXT Warning "a text says something";
    TP0113 TOO_MANY_ENVIRONMENTS Error "a product has at most 100 environments";
}
