from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_user_language"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="ssh_key",
            field=models.TextField(
                blank=True, db_default="", default="", help_text="Public; filled in where a template asks for one"
            ),
        ),
    ]
