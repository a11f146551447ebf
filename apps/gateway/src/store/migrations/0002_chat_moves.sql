-- Chats that their channel gave another key: the key they had first, which names their session.
CREATE TABLE chat_moves (
    channel  TEXT NOT NULL,
    bot      TEXT NOT NULL,
    chat_key TEXT NOT NULL,
    first    TEXT NOT NULL,
    PRIMARY KEY (channel, bot, chat_key)
);
