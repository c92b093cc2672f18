export const USAGE = `Says whether texts are negative, neutral or positive.

  sentiment "I love it"              one text, or several as several arguments
  sentiment < texts.txt              a text a line, answered in the order of the lines
  sentiment --input reviews.csv --column review --output out.csv

  --tier fast|balanced|accurate|auto which model; the server's default when left out
  --json                             one JSON object a text instead of a line to read

Files:
  --input FILE                       texts of a file, FILE.gz too; standard input when left out
  --output FILE                      answers go there; standard output when left out
  --format csv|jsonl|text            of both; else by the input's name (.csv .tsv .jsonl .ndjson .txt), text for standard input
  --column NAME                      where the text is: a CSV's column, a field of JSON lines (default: text)
  --delimiter C                      between the columns of a CSV (default: a comma; a tab for .tsv)
  --prefix NAME                      of what is added (default: sentiment, as in sentiment_label)
  --resume                           goes on where a broken run of the same command has stopped
  --force                            writes the output anew though it exists

Server:
  --address HOST[:PORT]              default: SENTIMENT_ADDRESS, or 127.0.0.1:50051
  --key-file FILE                    file with the key for a server that asks for one; else SENTIMENT_API_KEY is the key
  --tls, --tls-ca FILE               TLS; the CA that signed the server's certificate (default: those that Node knows)
  --tls-cert FILE, --tls-key FILE    a certificate of one's own, for mutual TLS
  --give-up SECONDS                  how long to wait for a server that has gone away (default: 60)
  --help

Exit code: 0 all answered, 1 a text was refused, the server cannot be reached, or a file cannot be read or written on, 2 wrong arguments,
130 interrupted: what was under way is finished.
`;
