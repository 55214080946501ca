<?php

/** Proposes ADMINER_DEFAULT_SERVER (default: db) in the login form, where the address names no server. */
class ProposedServer
{
    public function loginFormField($name, $heading, $field)
    {
        if ($name !== 'server') {
            return null;  // Adminer's own field
        }
        $server = htmlspecialchars(getenv('ADMINER_DEFAULT_SERVER') ?: 'db', ENT_QUOTES);
        return $heading . str_replace("value=''", "value='$server'", $field) . "\n";
    }
}

function adminer_object()
{
    include_once '/usr/share/adminer/plugins/version-noverify.php';  // no calls home
    return new Adminer\Plugins([new AdminerVersionNoverify(), new ProposedServer()]);
}

include '/usr/share/adminer/adminer.php';
